#pragma once

namespace mistify::rpc {

/// Makes a process fit to run for long. To be called first in `main`, before any thread and any descriptor is made;
/// `command_line` does so.
///
/// stdin, stdout and stderr that were closed are open on /dev/null from here on: otherwise the next socket or database
/// would have their numbers, and be written to by whoever prints. SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGIO, SIGPWR and
/// SIGPIPE, which would end the process, do nothing.
void prepare_process() noexcept;

} // namespace mistify::rpc
