#pragma once

#include <cstdint>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mistify::rpc {

/// Every error code of the agent and of sub-agents. The HTTP layer maps each code to a status in exactly one place.
enum class errc : std::uint8_t {
  none = 0,            ///< no error; never carried by a `failure`
  invalid_request,     ///< the client's request is malformed; the message names field or offset
  forbidden,           ///< the client's identity has not the right to it
  too_large,           ///< the request exceeds a size limit
  not_found,           ///< no such guest, job, image, snapshot or route
  not_configured,      ///< the config has no pipeline for the action
  method_not_allowed,  ///< the route exists with other methods only
  conflict,            ///< the id or key is taken by something else, or the state forbids the request
  precondition_failed, ///< what the request names by If-Match has changed
  queue_full,          ///< a bounded queue is full; a later retry may succeed
  sub_agent_failed,    ///< a sub-agent refused, closed the connection, or sent an invalid answer
  sub_agent_timeout,   ///< a sub-agent did not answer within its time-out
  // What a sub-agent says by a code (`{"error": {"code", "message"}}`), or by a text that is known:
  sub_agent_unreachable, ///< no connection, or it was lost before an answer
  sub_agent_refused,     ///< a rule of the sub-agent forbids it
  sub_agent_not_found,   ///< what it is about does not exist there
  sub_agent_conflict,    ///< something else is in the way
  sub_agent_in_use,      ///< another guest uses it
  sub_agent_no_space,    ///< its disk is full
  sub_agent_no_memory,   ///< the host has no memory left for it
  /// The database's disk is nearly full: only running jobs and requests that free space are accepted.
  insufficient_space,
  storage_failed,    ///< the database failed to write; nothing of the write was kept
  unavailable,       ///< the agent is stopping, or out of connections or threads
  deadline_exceeded, ///< an actor of the agent did not answer within its time-out
  cancelled,         ///< the work was cancelled
  config_invalid,    ///< the configuration is invalid; the start fails
  internal,          ///< a fault of the agent itself
};

/// The short name of a code, as in logs: "not_found".
std::string_view to_string(errc code) noexcept;

/// An error with a message for people and the boundaries that it passed.
///
/// The stack begins where the error was raised ("rpc/base/json.cpp:120 parse") and grows by one line at each boundary
/// (`through`). It never contains paths of the build machine. A value: may be copied between threads.
class failure : public std::exception {
public:
  failure(errc code, std::string message, std::source_location where = std::source_location::current());

  /// Restores a failure from a message.
  failure(errc code, std::string message, std::vector<std::string> stack);

  errc code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const std::vector<std::string>& stack() const noexcept { return stack_; }
  const char* what() const noexcept override { return message_.c_str(); }

  /// Appends a boundary to the stack, such as "service libvirt". Returns itself.
  failure& through(std::string boundary);

private:
  errc code_;
  std::string message_;
  std::vector<std::string> stack_;
};

/// The result of an asynchronous operation: the value or the failure.
template <class T>
using outcome = std::variant<T, failure>;

} // namespace mistify::rpc
