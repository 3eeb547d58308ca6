#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mistify::rpc {

/// Bounded queues of lines, and one thread that writes the lines of all in the order in which they came. A queue that is
/// full drops its oldest line, never one of another queue: `add` does not wait for the thread. Takes memory only for lines
/// that wait. Thread-safe.
class line_writer {
public:
  /// Called by the thread for one line after the other, with the index of its queue; may block.
  using sink = std::function<void(std::size_t queue, const std::string& line)>;

  /// `bounds` has the most lines of each queue. Starts the thread with all signals blocked, so that it does not take those
  /// that the process waits for. Throws `std::system_error` if no thread can be made.
  line_writer(const std::vector<std::size_t>& bounds, sink write);

  /// Leaves the thread alone, which may be blocked in the sink: it ends with the process.
  ~line_writer() = default;
  line_writer(const line_writer&) = delete;
  line_writer& operator=(const line_writer&) = delete;

  void add(std::size_t queue, std::string line);

  /// Waits until the lines added before are written or dropped, for at most `longest`. Returns false if some are not.
  bool flush(std::chrono::milliseconds longest);

  /// Number of lines that the queue dropped.
  std::uint64_t dropped(std::size_t queue) const noexcept;

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace mistify::rpc
