#pragma once

#include "actors/config/config.hpp"
#include "actors/guests/guest_wish.hpp"
#include "http/protocol/message.hpp"

#include <string>
#include <string_view>

namespace mistify::http::handlers {

/// Reads what a request asks for beside an action on a guest: the members of its body, if that is a JSON object, and
/// the query parameters `force`, `preempt` and `keep_wanted`. An empty body, `null`, a value of another type, a member
/// that is null, and an object whose `id` is the guest's, which is the guest itself, ask for nothing. `action` is the
/// name without `container`. Throws `invalid_request` for malformed JSON, and for a member or parameter that the action
/// does not have.
actors::guest_wish wish_of(const request& from, std::string_view action, std::string_view guest_id);

/// Throws `invalid_request` for a `then` without any `wait`, of the request or of a stage.
void expect_wait(const actors::guest_wish& wish, const actors::action& what);

} // namespace mistify::http::handlers
