#include "http/api/judge.hpp"

#include "http/access/gatekeeper.hpp"
#include "http/access/visibility.hpp"
#include "http/api/client_access.hpp"
#include "http/api/door.hpp"
#include "http/api/error_map.hpp"
#include "http/api/handlers/context.hpp"
#include "http/api/job_view.hpp"

#include <string>

namespace mistify::http {

namespace {

using actors::scope;

/// A browser gets a page of such a row: other sites may link to it, and the page itself shows nothing.
bool opens_page_of(const route& row, const request& from) {
  return row.has_page && opens_page(from);
}

std::optional<answer> refuse_by_site(const route& row, const request& from) {
  const bool guarded = changes(row) || row.asks.is(scope::debug);
  if (!guarded || !is_cross_site(from) || opens_page_of(row, from))
    return std::nullopt;
  return error_answer(403, "cross-site request");
}

answer ask_for_identity(const std::string& why) {
  auto out = error_answer(401, why);
  out.headers.emplace_back("WWW-Authenticate", "Bearer");
  return out;
}

/// Without `access`, the config still says which routes are for this machine only.
std::optional<answer> refuse_by_address(const context& cx, const route& row, const request& from) {
  if (row.asks.is(scope::debug))
    return refuse_client(cx.settings.get()->debug, from.peer, "debug.access");
  if (row.asks.is(scope::report))
    return refuse_client(cx.settings.get()->reports, from.peer, "reports.access");
  return std::nullopt;
}

std::optional<answer> refuse_by_rights(const context& cx, const router::match& found, const principal& who) {
  const auto needed = needed_scope(cx, found, &who);
  const bool enough = needed ? who.may(*needed) : !who.scopes.empty() || !who.is_anonymous();
  if (enough)
    return std::nullopt;
  if (who.is_anonymous())
    return ask_for_identity("an identity is needed");
  return error_answer(403, "not allowed: this needs the scope " + std::string{to_string(*needed)});
}

/// An identity that is limited to some guests must not reach the others by a token that it makes, or by the agent's insides.
std::optional<answer> refuse_limited(const route& row, const principal& who) {
  if (!who.guests || !(row.asks.is(scope::admin) || row.asks.is(scope::debug)))
    return std::nullopt;
  return error_answer(403, "not allowed: this identity is limited to some guests");
}

/// Guests that an identity may not see do not exist for it.
std::optional<answer> refuse_by_guest(const context& cx, const router::match& found, const principal& who) {
  const auto* guest = found.captures.find("guest");
  if (!who.guests || !guest || sees_guest(who, cx.guests, *guest))
    return std::nullopt;
  return error_answer(404, "not found");
}

} // namespace

scope scope_of_action(std::string_view action) noexcept {
  const auto* kind = actors::find_action_kind(action);
  if (!kind)
    return scope::power; // the handler answers that there is no such action
  if (kind->subject == actors::action_subject::image)
    return scope::image;
  if (kind->subject == actors::action_subject::snapshot)
    return scope::snapshot;
  if (kind->effect == actors::record_effect::adopts || kind->name == "readopt")
    return scope::admin;
  return kind->effect == actors::record_effect::none ? scope::power : scope::guest;
}

std::optional<scope> needed_scope(const context& cx, const router::match& found, const principal* who) {
  if (!found.row)
    return std::nullopt;
  const auto& asks = found.row->asks;
  switch (asks.what()) {
  case requirement::kind::scope: return asks.needs();
  case requirement::kind::action: return scope_of_action(found.captures["action"]);
  case requirement::kind::job: {
    const auto job = cx.jobs.find(found.captures["job"]);
    return job && (!who || job_view{cx, *who}.sees(*job)) ? scope_of_action(job->action) : scope::power;
  }
  case requirement::kind::nothing:
  case requirement::kind::identity: break;
  }
  return std::nullopt;
}

std::optional<answer> refuse_request(const context& cx, const router::match& found, const request& from) {
  const auto* row = found.row;
  if (row)
    if (auto no = refuse_by_site(*row, from))
      return no;
  if (from.who == unrestricted()) // there is no `access`
    return row ? refuse_by_address(cx, *row, from) : std::nullopt;
  if (row && (row->asks.what() == requirement::kind::nothing || opens_page_of(*row, from)))
    return std::nullopt;
  if (!from.who)
    return ask_for_identity("the token is not valid");
  if (!row)
    return from.who->is_anonymous() && from.who->scopes.empty()
             ? std::optional{ask_for_identity("an identity is needed")}
             : std::nullopt;
  if (auto no = refuse_by_rights(cx, found, *from.who))
    return no;
  if (auto no = refuse_limited(*row, *from.who))
    return no;
  return refuse_by_guest(cx, found, *from.who);
}

} // namespace mistify::http
