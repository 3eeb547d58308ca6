#include "http/access/policy.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <pwd.h>
#include <unordered_map>
#include <utility>

namespace mistify::http {

namespace {

using actors::scope_set;

/// Roles were checked when the config was read.
scope_set scopes_of(std::string_view role) {
  return actors::find_role(role).value_or(scope_set{});
}

std::string look_up_name(uid_t uid) {
  std::array<char, 4096> memory{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, memory.data(), memory.size(), &found) == 0 && found)
    return found->pw_name;
  return std::to_string(uid);
}

/// Remembered: the directory of users may be slow, and each request asks.
std::string user_name(uid_t uid) {
  constexpr std::size_t most = 10'000;
  static std::mutex mutex;
  static std::unordered_map<uid_t, std::string> names;
  {
    const std::lock_guard lock{mutex};
    if (const auto found = names.find(uid); found != names.end())
      return found->second;
  }
  auto name = look_up_name(uid);
  const std::lock_guard lock{mutex};
  if (names.size() >= most)
    names.clear();
  return names.insert_or_assign(uid, std::move(name)).first->second;
}

bool fits(const actors::unix_rule& rule, const unix_peer& process) {
  if (rule.user)
    return *rule.user == process.uid;
  return std::ranges::find(process.groups, *rule.group) != process.groups.end();
}

} // namespace

std::string_view to_string(identity_source how) noexcept {
  switch (how) {
  case identity_source::unix_socket: return "unix";
  case identity_source::cert: return "cert";
  case identity_source::token: return "token";
  case identity_source::anonymous: break;
  }
  return "anonymous";
}

const principal_ptr& unrestricted() {
  static const auto everything =
    std::make_shared<const principal>(principal{.role = "admin", .scopes = scope_set::all()});
  return everything;
}

policy::policy(const actors::config& settings, std::shared_ptr<const client_trust> trust)
  : access_{settings.access}, trust_{std::move(trust)} {
  for (const auto& [name, service] : settings.services)
    if (service.user && *service.user != 0)
      services_[*service.user].push_back(name);
  if (!access_) {
    anonymous_ = unrestricted();
    return;
  }
  principal nobody;
  nobody.role = access_->anonymous;
  nobody.scopes = scopes_of(access_->anonymous);
  anonymous_ = std::make_shared<const principal>(std::move(nobody));
}

principal_ptr policy::identify(const peer_identity& peer, std::chrono::system_clock::time_point now) const {
  principal_ptr known;
  if (!access_)
    return anonymous_;
  if (peer.process)
    known = of_process(*peer.process);
  else if (peer.certificate)
    known = of_certificate(*peer.certificate, now);
  return known ? known : anonymous_;
}

/// Several rules: their union. A sub-agent's user that no rule names reports for its services; one that a rule lets report
/// does so for its services only.
principal_ptr policy::of_process(const unix_peer& process) const {
  principal who;
  bool named = false;
  for (const auto& rule : access_->unix_peers)
    if (fits(rule, process)) {
      who.scopes.add(scopes_of(rule.role));
      named = true;
    }
  const auto service = services_.find(process.uid);
  if (!named && service == services_.end())
    return nullptr;
  if (!named)
    who.scopes = scopes_of("sub-agent");
  if (service != services_.end() && who.may(actors::scope::report))
    who.services = service->second;
  who.how = identity_source::unix_socket;
  who.name = user_name(process.uid);
  who.role = actors::role_of(who.scopes);
  who.key = "unix:" + std::to_string(process.uid);
  return std::make_shared<const principal>(std::move(who));
}

/// A pin counts first, then the alternative names, then the common name where there is none of those.
const actors::cert_rule* policy::rule_of(const cert_peer& certificate, bool by_ca) const {
  for (const auto& rule : access_->certs)
    if (!rule.sha256.empty() && rule.sha256 == certificate.sha256)
      return &rule;
  if (!by_ca)
    return nullptr;
  for (const auto& rule : access_->certs) {
    if (rule.san.empty())
      continue;
    const bool named = certificate.sans.empty()
                         ? rule.san == certificate.common_name
                         : std::ranges::find(certificate.sans, rule.san) != certificate.sans.end();
    if (named)
      return &rule;
  }
  return nullptr;
}

principal_ptr policy::of_certificate(const cert_peer& certificate, std::chrono::system_clock::time_point now) const {
  const auto verdict = trust_ ? trust_->judge(certificate, now) : client_trust::verdict{true, certificate.by_ca};
  const auto* rule = verdict.holds ? rule_of(certificate, verdict.by_ca) : nullptr;
  if (!rule || now >= std::chrono::system_clock::from_time_t(certificate.ends_at))
    return nullptr;
  principal who;
  who.how = identity_source::cert;
  who.name = !rule->san.empty()                 ? rule->san
             : !certificate.sans.empty()        ? certificate.sans.front()
             : !certificate.common_name.empty() ? certificate.common_name
                                                : certificate.sha256;
  who.role = rule->role;
  who.scopes = scopes_of(rule->role);
  who.guests = rule->guests;
  who.key = rule->san.empty() ? "cert:" + certificate.sha256 : "name:" + rule->san;
  return std::make_shared<const principal>(std::move(who));
}

} // namespace mistify::http
