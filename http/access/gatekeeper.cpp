#include "http/access/gatekeeper.hpp"

#include "http/access/token_secret.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <utility>

namespace mistify::http {

namespace {

/// A database write for each request would wear the disk out.
constexpr std::chrono::minutes note_interval{1};

actors::scope_set scopes_of(const store::token& token) {
  if (!token.role.empty())
    return actors::find_role(token.role).value_or(actors::scope_set{});
  actors::scope_set result;
  rpc::text::each_element(token.scopes, ' ', [&](std::string_view name) {
    if (const auto one = actors::find_scope(name))
      result.add(*one);
  });
  return result;
}

bool is_past(rpc::timestamp when, rpc::timestamp now) {
  return when != rpc::timestamp{} && when <= now;
}

bool fits(const store::token& token, const std::string& hash, rpc::timestamp now) {
  if (equal_hashes(hash, token.hash))
    return true;
  return std::ranges::any_of(
    token.old, [&](const store::old_secret& one) { return now < one.until && equal_hashes(hash, one.hash); });
}

principal_ptr principal_of(const store::token& token) {
  principal who;
  who.name = token.name;
  who.how = identity_source::token;
  who.scopes = scopes_of(token);
  who.role = token.role;
  if (!token.service.empty())
    who.services = {token.service};
  who.key = "token:" + token.id;
  if (!token.guests.empty()) {
    const auto selector = rpc::json::document::parse(token.guests);
    who.guests = actors::read_guest_selector(selector.root(), "guests");
  }
  return std::make_shared<const principal>(std::move(who));
}

} // namespace

gatekeeper::gatekeeper(std::shared_ptr<const policy> rules, const store::token_index& tokens,
                       std::function<void(store::note_token_use)> note_use)
  : rules_{std::move(rules)}, tokens_{tokens}, note_use_{std::move(note_use)} {}

void gatekeeper::replace(std::shared_ptr<const policy> rules) {
  const std::lock_guard lock{mutex_};
  rules_ = std::move(rules);
}

std::shared_ptr<const policy> gatekeeper::rules() const {
  const std::lock_guard lock{mutex_};
  return rules_;
}

principal_ptr gatekeeper::identify(const peer_identity& peer, std::string_view authorization, clock::time_point now) {
  const auto held = rules();
  if (held->is_open() || authorization.empty())
    return held->identify(peer, now);
  return of_token(bearer_of(authorization), rpc::timestamp{now});
}

bool gatekeeper::still_holds(const principal& who, const peer_identity& peer, std::string_view authorization,
                             clock::time_point now) {
  const auto is = identify(peer, authorization, now);
  return is && is->key == who.key && is->services == who.services && is->guests == who.guests &&
         is->scopes == who.scopes;
}

principal_ptr gatekeeper::of_token(std::string_view text, rpc::timestamp now) {
  const auto parts = parse_token(text);
  const auto token = parts ? tokens_.find(parts->id) : nullptr;
  if (!token || is_past(token->expires, now) || !fits(*token, hash_of(parts->secret), now))
    return nullptr;
  note_use_of(*token, now);
  return principal_of(*token);
}

void gatekeeper::note_use_of(const store::token& token, rpc::timestamp now) {
  if (token.last_used + note_interval > now)
    return;
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(noted_, [&](const auto& row) { return row.second + note_interval <= now; });
    auto& noted = noted_[token.id];
    if (noted + note_interval > now)
      return;
    noted = now;
  }
  note_use_({token.id, now});
}

} // namespace mistify::http
