#pragma once

#include "http/protocol/message.hpp"
#include "rpc/base/error.hpp"

#include <exception>
#include <string>

namespace mistify::http {

/// Returns the HTTP status of an error code; the only mapping between the two.
int status_of(rpc::errc code) noexcept;

/// `{"message":…,"code":…,"stack":[…]}` with the status of the failure.
answer error_answer(const rpc::failure& why);

/// As above with another status: from a sub-agent or the HTTP layer.
answer error_answer(int status, const std::string& message);
answer error_answer(int status, const rpc::failure& why);

/// 405 with the methods that the path allows.
answer method_not_allowed(std::string allowed);

/// For any exception of a handler. Anything but a `failure` is a fault of the agent: 500 without details.
answer error_answer(const std::exception_ptr& thrown);

} // namespace mistify::http
