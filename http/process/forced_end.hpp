#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <memory>

namespace mistify::http {

/// Ends the process at once, with exit status 1, once its orderly stop is not wanted any more or takes too long: a thread
/// that waits for a disk that never answers would hold it up for ever. Loses no acknowledged job, as a crash.
class forced_end {
public:
  /// Writes a line of the log and exits. `by_signal`: not because of the time.
  static void exit(bool by_signal);

  /// Starts the thread, because none may be available at the end. `signals` are blocked in all threads. Tests do not `exit`.
  explicit forced_end(sigset_t signals, std::function<void(bool by_signal)> end = &exit);

  /// Called once, when the orderly stop begins: from now on SIGTERM and SIGINT end the process, and so does the time.
  void allow(std::chrono::milliseconds longest);

private:
  struct state;
  std::shared_ptr<state> shared_; // with the thread, which lasts as long as the process
};

} // namespace mistify::http
