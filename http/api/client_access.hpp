#pragma once

#include "actors/config/config.hpp"
#include "http/protocol/message.hpp"

#include <optional>
#include <string_view>

namespace mistify::http {

/// The one place that says who may use the routes that not everybody may: nothing, or the answer for who may not. `peer`
/// is the client's address, as in a request; `key` is the config's that says `allowed`.
std::optional<answer> refuse_client(actors::clients allowed, std::string_view peer, std::string_view key);

} // namespace mistify::http
