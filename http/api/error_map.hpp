#pragma once

#include "http/protocol/message.hpp"
#include "rpc/base/error.hpp"

#include <exception>
#include <string>

namespace mistify::http {

/// The status for an error code: the one place where the two meet.
int status_of(rpc::errc code) noexcept;

/// `{"message":…,"code":…,"stack":[…]}` with the status of the failure.
answer error_answer(const rpc::failure& why);

/// The same with a status of its own, as a sub-agent answered it or as the HTTP layer decided.
answer error_answer(int status, const std::string& message);
answer error_answer(int status, const rpc::failure& why);

/// 405 with the methods that the path takes.
answer method_not_allowed(std::string allowed);

/// For whatever a handler threw. Anything but a `failure` is a fault of the agent: 500, without the details of it.
answer error_answer(const std::exception_ptr& thrown);

} // namespace mistify::http
