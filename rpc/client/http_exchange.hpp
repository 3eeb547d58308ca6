#pragma once

#include "rpc/client/client.hpp"
#include "rpc/client/connection_pool.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <httplib.h>
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
  deadline until = deadline_after(timeout);
  httplib::Response answer = {};
  bool too_long = false; ///< the answer was over a limit
  bool unsound = false;  ///< its head leaves open where it ends

  /// Throws `failure`.
  std::unique_ptr<connection> connect(connection_pool& pool) const;

  /// Sends the request and takes the answer; true if that came to a proper end. Interim answers (1xx) are passed over.
  bool run(connection& on, httplib::Request& request);

  void hand_back(connection_pool& pool, std::unique_ptr<connection> on) const;

  [[noreturn]] void fail(socket_stream::fault why) const;
  void expect_going() const; ///< throws `failure{cancelled}` once cancelled

private:
  void expect_owner(const unique_fd& fd) const;
  [[noreturn]] void fail_to_connect(int error) const;
};

httplib::Request post_to(const endpoint& to, std::string body, const call_context& whom);
/// The same, as the engine writes it.
std::string text_of_post(const endpoint& to, std::string_view body, const call_context& whom);

/// The text of an answer that refuses, or its status where it has none.
std::string refusal(int status, std::string_view body);

/// The text for a status that no answer should have.
std::string unexpected(int status);

/// How much text of an error answer is kept.
inline constexpr std::size_t error_text = 64 * 1024;

std::int64_t length_of(const httplib::Response& answer); ///< -1 where it is not told

/// Takes the answer of a call: its result. Throws as `client::call`.
std::string take_result(exchange& x, httplib::Request& request, std::unique_ptr<connection> on, connection_pool& pool);

} // namespace mistify::rpc
