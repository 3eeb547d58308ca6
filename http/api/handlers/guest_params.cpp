#include "http/api/handlers/guest_params.hpp"

#include "actors/config/waiting_actions.hpp"
#include "http/api/handlers/parameters.hpp"
#include "rpc/base/distinct_members.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace mistify::http::handlers {

namespace {

using actors::longest_wait_seconds;
using actors::takes_time;
using rpc::json::node;

[[noreturn]] void refuse(const std::string& why) {
  throw rpc::failure{rpc::errc::invalid_request, why};
}

bool may_preempt(std::string_view action) {
  return action == "poweroff" || action == "delete";
}

// A parameter that is null is as one that is absent.

bool flag_in(const node& value, const std::string& name) {
  if (!value.is_null() && value.type() != node::kind::boolean)
    refuse(name + ": must be true or false");
  return value.as_bool(name);
}

std::optional<std::chrono::seconds> wait_in(const node& value) {
  if (value.is_null())
    return std::nullopt;
  if (value.type() != node::kind::number)
    refuse("wait: must be a number of seconds");
  const auto seconds = value.as_uint("wait");
  if (seconds > longest_wait_seconds)
    refuse("wait: must be at most " + std::to_string(longest_wait_seconds));
  return std::chrono::seconds{seconds};
}

std::optional<actors::when_late> then_in(const node& value) {
  if (value.is_null())
    return std::nullopt;
  const auto then = value.type() == node::kind::string ? actors::when_late_from(value.as_string("then")) : std::nullopt;
  if (!then)
    refuse("then: must be poweroff or fail");
  return then;
}

void read_member(std::string_view action, const rpc::json::member& one, actors::guest_wish& to) {
  if (one.key == "wait" && takes_time(action))
    to.wait = wait_in(one.value);
  else if (one.key == "then" && takes_time(action))
    to.then = then_in(one.value);
  else if (one.key == "preempt" && may_preempt(action))
    to.preempt = flag_in(one.value, "preempt");
  else
    refuse(std::string{one.key} + ": is no parameter of " + std::string{action});
}

bool is_the_guest(const node& body, std::string_view guest_id) {
  const auto* id = body.find("id");
  return id && id->type() == node::kind::string && rpc::text::equal_ignoring_case(id->as_string("id"), guest_id);
}

void read_body(const std::string& body, std::string_view action, std::string_view guest_id, actors::guest_wish& to) {
  constexpr std::string_view blanks = " \t\r\n";
  if (body.find_first_not_of(blanks) == body.npos)
    return;
  const auto document = rpc::json::document::parse(body);
  const auto& root = document.root();
  if (root.type() != node::kind::object || is_the_guest(root, guest_id))
    return;
  rpc::json::expect_distinct_members(root);
  for (const auto& one : root.members("body"))
    read_member(action, one, to);
}

/// A parameter that the action does not have is refused even if it is false.
bool flag(const request& from, const std::string& name, bool is_known, std::string_view action) {
  if (from.parameter(name) && !is_known)
    refuse(name + ": is no parameter of " + std::string{action});
  return flag_of(from, name);
}

} // namespace

actors::guest_wish wish_of(const request& from, std::string_view action, std::string_view guest_id) {
  actors::guest_wish wish;
  if (from.method != "GET") // the older form has no body
    read_body(from.body, action, guest_id, wish);
  wish.force = flag(from, "force", from.method == "DELETE", action);
  wish.preempt = flag(from, "preempt", may_preempt(action), action) || wish.preempt;
  wish.keep_wanted = flag(from, "keep_wanted", takes_time(action) || action == "poweroff", action);
  return wish;
}

void expect_wait(const actors::guest_wish& wish, const actors::action& what) {
  const bool has_wait =
    wish.wait || std::ranges::any_of(what.stages, [](const actors::stage& one) { return one.args.contains("wait"); });
  if (wish.then && !has_wait)
    refuse("then: needs wait");
}

} // namespace mistify::http::handlers
