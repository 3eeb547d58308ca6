#pragma once

#include "actors/config.hpp"
#include "http/message.hpp"

#include <optional>
#include <string_view>

namespace mistify::http {

/// The one place that says who may use debug routes: nothing, or the answer for who may not. `peer` is the client's
/// address, as in a request.
std::optional<answer> refuse_debug(actors::debug_access allowed, std::string_view peer);

} // namespace mistify::http
