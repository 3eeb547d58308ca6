#pragma once

#include <cstddef>

namespace mistify::rpc {

/// Creates that many threads at once, maps that many bytes, and releases all of it before it returns. A daemon checks
/// its needs before it starts anything: a thread that fails in the middle of the start would leave the others
/// running. Throws `failure{unavailable}` with one clear line.
void require_resources(std::size_t threads, std::size_t bytes);

/// While it lives, an uncaught exception in any thread prints one line on stderr and exits with status 1 instead of
/// aborting. For the start, where a lack of memory or threads is the host's state, not a fault of the program.
class quiet_end {
public:
  explicit quiet_end(const char* program) noexcept;
  ~quiet_end(); ///< restores the previous handler
  quiet_end(const quiet_end&) = delete;
  quiet_end& operator=(const quiet_end&) = delete;

private:
  void (*before_)();
};

} // namespace mistify::rpc
