#include "actors/config/access.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>
#include <utility>

namespace mistify::actors {

namespace {

using rpc::json::node;

[[noreturn]] void refuse(const std::string& field, const std::string& why) {
  throw rpc::failure{rpc::errc::invalid_request, field + ": " + why};
}

std::string read_text(const node& value, const std::string& field) {
  auto text = value.as_string(field);
  if (text.empty())
    refuse(field, "must not be empty");
  return text;
}

std::string read_role(const node& value, const std::string& field) {
  auto role = read_text(value, field);
  if (!find_role(role))
    refuse(field, "there is no role \"" + role + "\": viewer, operator, controller, metrics, sub-agent, admin or none");
  return role;
}

std::string read_anonymous(const node& value, const std::string& field) {
  auto role = read_role(value, field);
  if (role == "sub-agent")
    refuse(field, "a client without an identity is no service's, and may not report");
  return role;
}

[[noreturn]] void refuse_member(const std::string& where, std::string_view key) {
  refuse(where + '.' + std::string{key}, "is not known");
}

std::pair<std::string, std::string> read_label(const node& value, const std::string& field) {
  const auto text = read_text(value, field);
  const auto equals = text.find('=');
  if (equals == 0 || equals == text.npos)
    refuse(field, "must be KEY=VALUE");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

unix_rule read_unix_rule(const node& value, const std::string& where) {
  unix_rule rule;
  for (const auto& [key, v] : value.members(where)) {
    const auto field = where + '.' + std::string{key};
    if (key == "user") {
      rule.name = read_text(v, field);
      if (rule.user = find_user(rule.name); !rule.user)
        refuse(field, "there is no user \"" + rule.name + "\"");
    } else if (key == "group") {
      rule.name = read_text(v, field);
      if (rule.group = find_group(rule.name); !rule.group)
        refuse(field, "there is no group \"" + rule.name + "\"");
    } else if (key == "role") {
      rule.role = read_role(v, field);
    } else {
      refuse_member(where, key);
    }
  }
  if (rule.user.has_value() == rule.group.has_value())
    refuse(where, "needs either user or group");
  if (rule.role.empty())
    refuse(where, "needs a role");
  return rule;
}

void expect_fingerprint(const std::string& text, const std::string& field) {
  constexpr std::size_t digits = 64;
  const auto is_lower_hex = [](char c) { return rpc::text::is_digit(c) || (c >= 'a' && c <= 'f'); };
  if (text.size() != digits || !std::ranges::all_of(text, is_lower_hex))
    refuse(field, "must be the SHA-256 of the certificate in 64 lower-case hex digits");
}

cert_rule read_cert_rule(const node& value, const std::string& where) {
  cert_rule rule;
  for (const auto& [key, v] : value.members(where)) {
    const auto field = where + '.' + std::string{key};
    if (key == "san")
      rule.san = read_text(v, field);
    else if (key == "sha256")
      rule.sha256 = read_text(v, field), expect_fingerprint(rule.sha256, field);
    else if (key == "role")
      rule.role = read_role(v, field);
    else if (key == "guests")
      rule.guests = read_guest_selector(v, field);
    else
      refuse_member(where, key);
  }
  if (rule.san.empty() == rule.sha256.empty())
    refuse(where, "needs either san or sha256");
  if (rule.role.empty())
    refuse(where, "needs a role");
  if (rule.guests && rule.role == "admin")
    refuse(where + ".guests", "the role admin cannot be limited to some guests");
  return rule;
}

template <class Rule, class Read>
std::vector<Rule> read_rules(const node& value, const std::string& field, Read read) {
  std::vector<Rule> rules;
  for (const node& item : value.items(field))
    rules.push_back(read(item, field + '[' + std::to_string(rules.size()) + ']'));
  return rules;
}

/// The answer of getpwnam_r and its like, with as much memory as they want.
template <class Entry, class Find>
bool find_entry(Entry& entry, Find find) {
  constexpr std::size_t most = 1 << 20;
  std::vector<char> memory(1024);
  for (Entry* found = nullptr; memory.size() <= most; memory.resize(memory.size() * 2)) {
    const int error = find(entry, memory, found);
    if (error != ERANGE)
      return error == 0 && found;
  }
  return false;
}

template <class Id>
std::optional<Id> parse_id(const std::string& text) {
  Id id{};
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, id);
  return error == std::errc{} && at == end ? std::optional{id} : std::nullopt;
}

} // namespace

guest_selector read_guest_selector(const node& value, const std::string& field) {
  guest_selector selector;
  if (value.type() == node::kind::object) {
    for (const auto& [key, v] : value.members(field))
      if (key == "label")
        selector.label = read_label(v, field + ".label");
      else
        refuse_member(field, key);
    if (!selector.label)
      refuse(field, "needs a label");
    return selector;
  }
  for (const node& item : value.items(field)) {
    auto id = read_text(item, field);
    auto folded = id; // UUIDs are the same in either case; ids that were taken over are kept as they were
    std::ranges::transform(folded, folded.begin(), rpc::text::lower);
    if (folded != id)
      selector.ids.push_back(std::move(id));
    selector.ids.push_back(std::move(folded));
  }
  std::ranges::sort(selector.ids);
  return selector;
}

std::string encode(const guest_selector& selector) {
  rpc::json::writer out;
  if (selector.label) {
    out.begin_object().key("label").value(selector.label->first + '=' + selector.label->second).end_object();
    return std::move(out).str();
  }
  out.begin_array();
  for (const auto& id : selector.ids)
    out.value(id);
  out.end_array();
  return std::move(out).str();
}

access_options read_access_options(const node& value) {
  access_options result;
  if (value.type() != node::kind::object)
    refuse("access", "must be an object");
  for (const auto& [key, v] : value.members("access")) {
    if (key == "unix")
      result.unix_peers = read_rules<unix_rule>(v, "access.unix", read_unix_rule);
    else if (key == "certs")
      result.certs = read_rules<cert_rule>(v, "access.certs", read_cert_rule);
    else if (key == "anonymous")
      result.anonymous = read_anonymous(v, "access.anonymous");
    else
      refuse_member("access", key);
  }
  return result;
}

tls_options read_tls_options(const node& value) {
  tls_options result;
  for (const auto& [key, v] : value.members("tls")) {
    const auto field = "tls." + std::string{key};
    if (key == "cert")
      result.cert = read_text(v, field);
    else if (key == "key")
      result.key = read_text(v, field);
    else if (key == "client_ca")
      result.client_ca = read_text(v, field);
    else if (key == "crl")
      result.crl = read_text(v, field);
    else if (key == "min_version") {
      const auto version = read_text(v, field);
      if (version != "1.2" && version != "1.3")
        refuse(field, "must be \"1.2\" or \"1.3\"");
      result.allow_1_2 = version == "1.2";
    } else
      refuse_member("tls", key);
  }
  if (result.cert.empty() || result.key.empty())
    refuse("tls", "needs cert and key");
  if (!result.crl.empty() && result.client_ca.empty())
    refuse("tls.crl", "needs client_ca");
  return result;
}

std::optional<uid_t> find_user(const std::string& name) {
  if (const auto id = parse_id<uid_t>(name))
    return id;
  passwd entry{};
  const auto find = [&](passwd& to, std::vector<char>& memory, passwd*& found) {
    return ::getpwnam_r(name.c_str(), &to, memory.data(), memory.size(), &found);
  };
  return find_entry(entry, find) ? std::optional{entry.pw_uid} : std::nullopt;
}

std::optional<gid_t> find_group(const std::string& name) {
  if (const auto id = parse_id<gid_t>(name))
    return id;
  group entry{};
  const auto find = [&](group& to, std::vector<char>& memory, group*& found) {
    return ::getgrnam_r(name.c_str(), &to, memory.data(), memory.size(), &found);
  };
  return find_entry(entry, find) ? std::optional{entry.gr_gid} : std::nullopt;
}

} // namespace mistify::actors
