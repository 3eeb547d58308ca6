#pragma once

#include "rpc/kit/server.hpp"

#include <string_view>

namespace mistify::agents {

/// The answer to a POST of an `rpc::log_request`: a console that says the same of every guest. With `follow` it says
/// something new every second.
rpc::http_answer made_up_log(std::string_view body);

} // namespace mistify::agents
