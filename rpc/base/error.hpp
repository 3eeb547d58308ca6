#pragma once

#include <cstdint>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mistify::rpc {

/// Every way in which the agent or a sub-agent can fail, for the whole program.
/// The HTTP edge maps each code to a status in exactly one place.
enum class errc : std::uint8_t {
  none = 0,           ///< no error; never carried by a `failure`
  invalid_request,    ///< what the client sent cannot be understood; the message names field or offset
  forbidden,          ///< the client's identity has not the right to it
  too_large,          ///< the request is over a size limit
  not_found,          ///< no such guest, job, image, snapshot or route
  not_configured,     ///< the config has no pipeline for the action
  method_not_allowed, ///< the route exists with other methods only
  conflict,           ///< the id or key is taken by something else
  queue_full,         ///< a bounded queue has no place; trying later helps
  sub_agent_failed,   ///< a sub-agent refused, hung up, or answered what it must not
  sub_agent_timeout,  ///< a sub-agent did not answer in its time
  insufficient_space, ///< the disk of the database is nearly full: only what frees space or is under way goes on
  storage_failed,     ///< the database did not take a write; nothing of it was kept
  unavailable,        ///< the agent is stopping, or out of connections or threads
  deadline_exceeded,  ///< an actor of the agent did not answer in its time
  cancelled,          ///< somebody asked for the work to stop
  config_invalid,     ///< the configuration cannot be used; the start is refused
  internal,           ///< a fault of the agent itself
};

/// The short name of a code, as in logs: "not_found".
std::string_view to_string(errc code) noexcept;

/// An error on its way to whoever asked: what happened, for people, and how it got here.
///
/// The stack begins where the error was raised ("rpc/base/json.cpp:120 parse") and grows by one line at each
/// boundary it passes (`through`). It never holds paths of the build machine. A value: copy it between threads freely.
class failure : public std::exception {
public:
  failure(errc code, std::string message, std::source_location where = std::source_location::current());

  /// Restores a failure that travelled in a message.
  failure(errc code, std::string message, std::vector<std::string> stack);

  errc code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const std::vector<std::string>& stack() const noexcept { return stack_; }
  const char* what() const noexcept override { return message_.c_str(); }

  /// Notes a boundary that the failure passed, such as "service libvirt"; returns itself.
  failure& through(std::string boundary);

private:
  errc code_;
  std::string message_;
  std::vector<std::string> stack_;
};

/// What an asynchronous operation hands to its callback: the value, or why there is none.
template <class T>
using outcome = std::variant<T, failure>;

} // namespace mistify::rpc
