#pragma once

#include "rpc/client/http_exchange.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::rpc {

struct whole_answer;

/// A call on a kept connection that holds no thread while its answer is awaited: sent by whoever starts it, as far as that
/// goes without blocking, and answered on the reactor's thread where the answer came in one piece, which it mostly does.
/// The rest is for a thread that may block. Internal to the client; keeps itself alive until it has told the outcome.
class async_call : public std::enable_shared_from_this<async_call> {
public:
  async_call(const endpoint& to, connection_pool& pool, const call_threads& on, std::unique_ptr<socket_stream> link,
             std::chrono::milliseconds timeout, std::uint64_t id, cancellation cancel, call_done told);

  void send(std::string_view text); ///< the request

private:
  void await();
  void answered();
  void go_on_blocking();
  void finish(const whole_answer& answer);
  void finish();

  connection_pool& pool_;
  const call_threads threads_;
  const cancellation cancel_;
  exchange exchange_;
  std::unique_ptr<socket_stream> link_;
  call_done told_;
  std::string unsent_;
  std::optional<cancellation::guard> guard_; // last: its end waits for an abort of `link_`
};

} // namespace mistify::rpc
