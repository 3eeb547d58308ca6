#pragma once

#include "rpc/base/unique_fd.hpp"

#include <cstddef>
#include <sys/types.h>

namespace mistify::http {

/// Moves bytes between two sockets inside the kernel with splice(2), which requires a pipe. Used by one thread.
///
/// Downloads that were copied through memory ran at 0.54 of the source's own rate (1 GiB on loopback, two cores); the
/// two copies took most of the agent's time.
class splice_pipe {
public:
  /// Returns false if the process has no free descriptors.
  bool open();

  /// Reads up to `most` bytes from `source` into the pipe; `left()` returns how many are in it. Otherwise like
  /// recv(2).
  ssize_t take(int source, std::size_t most);

  /// Writes bytes of the pipe to `target`; like send(2). Raises SIGPIPE if `target` is closed, because splice has no
  /// flag against it: the caller must block the signal.
  ssize_t give(int target);

  std::size_t left() const noexcept { return left_; }

private:
  rpc::unique_fd out_, in_;
  std::size_t left_ = 0;
};

} // namespace mistify::http
