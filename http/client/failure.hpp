#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace mistify::client {

/// Why a call has no result.
enum class fault : std::uint8_t {
  usage,       ///< an argument of the caller cannot be used; nothing was sent
  unreachable, ///< no connection; nothing was sent
  lost,        ///< the connection was lost before the whole answer; whether the agent did anything is unknown
  timeout,     ///< no whole answer in time
  tls,         ///< the server's certificate is not trusted, or a certificate of the client cannot be used
  not_agent,   ///< what answered is no agent: no HTTP, no JSON, too long
  refused,     ///< the agent answered with an error status, see `status`
  local,       ///< a file of the caller could not be read or written
};

/// A call that failed. The message is for people; it may hold text of the agent, control characters included.
class failure : public std::exception {
public:
  failure(fault what, std::string message, int status = 0)
    : fault_{what}, message_{std::move(message)}, status_{status} {}

  fault code() const noexcept { return fault_; }
  const std::string& message() const noexcept { return message_; }
  int status() const noexcept { return status_; } ///< the HTTP status, 400 to 599, of `refused`; else 0
  const char* what() const noexcept override { return message_.c_str(); }

private:
  fault fault_;
  std::string message_;
  int status_;
};

} // namespace mistify::client
