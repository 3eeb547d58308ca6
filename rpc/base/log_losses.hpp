#pragma once

#include <cstdint>

namespace mistify::rpc::log {

/// Lines that were to be written and were not: the reader of stderr was too slow, or has gone.
struct losses {
  std::uint64_t audit = 0; ///< audit lines: only others of their kind push them out
  std::uint64_t other = 0;

  bool operator==(const losses&) const = default;
};

/// Since the process began. The log says so itself as well, once lines can be written again. Thread-safe.
losses lost();

} // namespace mistify::rpc::log
