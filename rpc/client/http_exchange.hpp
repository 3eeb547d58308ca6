#pragma once

#include "rpc/client/client.hpp"
#include "rpc/client/connection_pool.hpp"
#include "rpc/http1/answer_head.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mistify::rpc {

/// What the head of an answer may take on top of its body.
inline constexpr std::size_t head_budget = 64 * 1024;

/// One exchange on one connection, from taking the connection to the last byte. Internal to the client; belongs to one
/// thread at a time.
struct exchange {
  const endpoint& to;
  const cancellation& cancel;
  std::chrono::milliseconds timeout;
  std::uint64_t id = 0; ///< of the call
  deadline until = deadline_after(timeout);
  http1::answer_head head = {};
  bool too_long = false; ///< the answer was over a limit
  bool unsound = false;  ///< its head leaves open where it ends

  /// Throws `failure`.
  std::unique_ptr<socket_stream> connect(connection_pool& pool) const;

  bool send(socket_stream& on, std::string_view request) const; ///< false if that failed

  /// Reads the head of the answer, and passes over interim ones (1xx). False if no usable head came.
  bool read_head(socket_stream& on);

  /// Hands the body on piece by piece; true if it came to its proper end. False too if `on_data` returns false.
  bool read_body(socket_stream& on, const std::function<bool(std::string_view bytes)>& on_data) const;

  void hand_back(connection_pool& pool, std::unique_ptr<socket_stream> on) const;

  [[noreturn]] void fail(socket_stream::fault why) const;
  void expect_going() const; ///< throws `failure{cancelled}` once cancelled

private:
  void expect_owner(const unique_fd& fd) const;
  [[noreturn]] void fail_to_connect(int error) const;
};

/// Writes POSTs to one endpoint, as they go over the wire.
class post_writer {
public:
  explicit post_writer(const endpoint& to);

  /// `body` is JSON text.
  std::string text(std::string_view body, const call_context& whom) const;

private:
  std::string same_; ///< what all have in common, which is most of the head
};

/// The text of an answer that refuses, or its status where it has none.
std::string refusal(int status, std::string_view body);

/// The text for a status that no answer should have.
std::string unexpected(int status);

/// How much text of an error answer is kept.
inline constexpr std::size_t error_text = 64 * 1024;

/// Reads the answer of a call that was sent; returns its result. Throws as `client::call`. Keeps the connection only if
/// what came is an answer to this call: after any other, the next answers on it may be those of other calls too.
json::document take_result(exchange& x, std::unique_ptr<socket_stream> on, connection_pool& pool);

} // namespace mistify::rpc
