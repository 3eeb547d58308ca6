#pragma once

#include "rpc/base/unique_fd.hpp"

#include <cstddef>
#include <sys/types.h>

namespace mistify::http {

/// Moves bytes from one socket to another inside the kernel: splice(2) wants a pipe in between. Used by one thread.
///
/// A download that was received into memory and sent from there again ran at 0.54 of the source's own rate (1 GiB on
/// loopback, two cores); most of an agent's time went into the two copies.
class relay_pipe {
public:
  /// False where the process has no descriptors left for it.
  bool open();

  /// Takes up to `most` bytes off `source`, of which `left()` tells; as recv(2) otherwise.
  ssize_t take(int source, std::size_t most);

  /// Gives what was taken, or part of it, to `target`; as send(2). Raises SIGPIPE where that has been closed, against which
  /// splice knows no flag: to be blocked by the caller.
  ssize_t give(int target);

  std::size_t left() const noexcept { return left_; }

private:
  rpc::unique_fd out_, in_;
  std::size_t left_ = 0;
};

} // namespace mistify::http
