#pragma once

namespace mistify::rpc {

/// Prepares a process for a long run. Must be called first in `main`, before any thread or descriptor is created;
/// `command_line` does so.
///
/// Opens stdin, stdout and stderr on /dev/null if they are closed: otherwise the next socket or database would get
/// their numbers and receive printed text. Ignores SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGIO, SIGPWR and SIGPIPE,
/// which would end the process.
void prepare_process() noexcept;

/// Whether stdout was closed before `prepare_process` opened it: what is written to it is lost.
bool output_began_closed() noexcept;

/// Keeps SIGPIPE from the calling thread, for ever: for threads that write with calls that know no MSG_NOSIGNAL, in
/// programs that have not called `prepare_process`. A write to a connection that the other end has closed then fails.
void block_pipe_signal() noexcept;

} // namespace mistify::rpc
