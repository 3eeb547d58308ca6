#pragma once

#include <cstdint>

namespace mistify::rpc::log {

/// Numbers of lines that were dropped: the reader of stderr was too slow or closed it.
struct losses {
  std::uint64_t audit = 0; ///< audit lines: only later audit lines displace them
  std::uint64_t other = 0;

  bool operator==(const losses&) const = default;
};

/// Returns the losses since the process began. The log also reports them once it can write again. Thread-safe.
losses lost();

} // namespace mistify::rpc::log
