#include "rpc/base/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace mistify::rpc {

namespace {

/// By descriptor: whether it was closed when the process began. Zero before any code of the process.
std::array<bool, 3> was_closed;

/// `open` returns the lowest free descriptor, which is `wanted` if all lower ones are open.
void open_if_closed(int wanted, int how) noexcept {
  if (::fcntl(wanted, F_GETFD) >= 0 || errno != EBADF)
    return;
  was_closed[static_cast<std::size_t>(wanted)] = true;
  if (::open("/dev/null", how) < 0) // NOLINT(android-cloexec-open): children have it, as they have the others
    ::open("/", O_RDONLY);          // occupies the descriptor; reads and writes fail
}

void open_standard_descriptors() noexcept {
  open_if_closed(STDIN_FILENO, O_RDONLY);
  open_if_closed(STDOUT_FILENO, O_WRONLY);
  open_if_closed(STDERR_FILENO, O_WRONLY);
}

// The loader calls functions in this section before the initialisers of shared libraries, which may open descriptors
// (gperftools' unwinder creates a pipe). Sanitizers are not initialised that early, and run without gperftools.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
[[gnu::used, gnu::section(".preinit_array")]] void (*const before_libraries)() noexcept = open_standard_descriptors;
#endif

} // namespace

void prepare_process() noexcept {
  open_standard_descriptors();
  for (const int meaningless : {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGIO, SIGPWR, SIGPIPE})
    std::signal(meaningless, SIG_IGN);
}

bool output_began_closed() noexcept {
  return was_closed[STDOUT_FILENO];
}

void block_pipe_signal() noexcept {
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

} // namespace mistify::rpc
