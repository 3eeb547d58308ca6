#pragma once

#include "http/api/router.hpp"
#include "http/protocol/message.hpp"

#include <optional>

namespace mistify::http {

struct context;

/// Decides whether a client may use a route, in this order: page of another site (403), identity (401), rights (403),
/// guest outside of the identity's selector (404). Null if it may. `row` may be null: then only the identity counts.
/// Reads nothing but memory.
std::optional<answer> refuse_request(const context& cx, const router::match& found, const request& from);

/// The scope that a request needs; null: none, or there is no such route. `who` may be null. A job that the identity may
/// not see counts as none, so that the answer does not reveal it.
std::optional<actors::scope> needed_scope(const context& cx, const router::match& found, const principal* who);

/// The scope that an action needs, such as `power` for "reboot" and "containerReboot".
actors::scope scope_of_action(std::string_view action) noexcept;

} // namespace mistify::http
