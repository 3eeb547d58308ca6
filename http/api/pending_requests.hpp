#pragma once

#include "rpc/base/error.hpp"

#include <caf/message.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <vector>

namespace mistify::http {

using reply_handler = std::function<void(rpc::outcome<caf::message>)>;

/// Requests that wait for a response, by number. The function that removes a request calls its handler: the actor's
/// response or the deadline. Thread-safe; handlers are called without the lock.
class pending_requests {
public:
  pending_requests();
  ~pending_requests(); ///< as `close`
  pending_requests(const pending_requests&) = delete;
  pending_requests& operator=(const pending_requests&) = delete;

  /// Returns the number of the request; null if the room is closed, after calling `on_done`.
  std::optional<std::uint64_t> add(std::chrono::steady_clock::duration longest, reply_handler on_done);

  /// Ends every request with `unavailable`, and each later one at once.
  void close();

  bool awaits(std::uint64_t id) const;

  /// Does nothing if the deadline was first.
  void answer(std::uint64_t id, rpc::outcome<caf::message> with);

private:
  struct question {
    std::chrono::steady_clock::time_point deadline;
    reply_handler on_done;
  };

  void sweep(const std::stop_token& stop);
  void put_off(std::chrono::steady_clock::duration by);
  std::vector<reply_handler> take_late();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::unordered_map<std::uint64_t, question> rows_;
  std::uint64_t last_id_ = 0;
  bool closed_ = false;
  bool dozes_ = false;   // the sweeper waits for a request
  std::jthread sweeper_; // last: it uses the other members
};

} // namespace mistify::http
