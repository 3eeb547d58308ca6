#include "actors/config/access.hpp"
#include "actors/ids.hpp"
#include "http/access/principal.hpp"
#include "http/access/token_secret.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/distinct_members.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"
#include "rpc/base/time.hpp"
#include "store/tokens.hpp"

#include <algorithm>
#include <chrono>
#include <set>

/// Who am I, and bearer tokens.
namespace mistify::http::handlers {

namespace {

using rpc::errc;
using rpc::failure;
using rpc::json::node;
using rpc::json::writer;

constexpr std::size_t longest_name = 64;
/// How long the secret before a rotation still holds: time for the controller to take the new one.
constexpr std::chrono::minutes grace{10};

[[noreturn]] void refuse(const std::string& why) {
  throw failure{errc::invalid_request, why};
}

rpc::timestamp now() {
  return rpc::timestamp{std::chrono::system_clock::now()};
}

template <class Names>
void write_names(writer& out, const Names& names) {
  out.begin_array();
  for (const std::string_view name : names)
    out.value(name);
  out.end_array();
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  rpc::text::each_element(text, ' ', [&](std::string_view word) { words.push_back(word); });
  return words;
}

std::string read_scopes(const node& value) {
  std::string scopes;
  for (const node& item : value.items("scopes")) {
    const auto name = item.as_string("scopes");
    if (!actors::find_scope(name))
      refuse("scopes: there is no scope \"" + name + '"');
    scopes.append(scopes.empty() ? "" : " ").append(name);
  }
  if (scopes.empty())
    refuse("scopes: must not be empty");
  return scopes;
}

/// True for marks that reorder or break the text around them: U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069.
bool has_reordering(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto two = text.substr(i, 2);
    const auto third = i + 2 < text.size() ? static_cast<unsigned char>(text[i + 2]) : 0U;
    if (two == "\xd8\x9c" ||
        (two == "\xe2\x80" && (third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae))) ||
        (two == "\xe2\x81" && third >= 0xa6 && third <= 0xa9))
      return true;
  }
  return false;
}

std::string read_name(const node& value) {
  auto name = value.as_string("name");
  if (name.empty() || name.size() > longest_name || rpc::has_control(name) || has_reordering(name))
    refuse("name: must be a text of 1 to " + std::to_string(longest_name) + " bytes without control characters");
  return name;
}

std::string read_role(const node& value) {
  auto role = value.as_string("role");
  const auto scopes = actors::find_role(role);
  if (!scopes || scopes->empty())
    refuse("role: there is no role \"" + role + '"');
  return role;
}

rpc::timestamp read_expiry(const node& value) {
  const auto at = rpc::decode_timestamp(value.as_string("expires"));
  if (!at || *at <= now())
    refuse("expires: must be a time to come, as RFC 3339 has it");
  return *at;
}

/// Each id once, as its guest has it. Imported guests may have ids of any form; others are UUIDs.
std::string read_guests(const context& cx, const node& value) {
  auto selector = actors::read_guest_selector(value, "guests");
  if (selector.label)
    return actors::encode(selector);
  std::set<std::string> ids;
  for (const node& item : value.items("guests")) {
    auto id = item.as_string("guests");
    if (!cx.guests.find(id)) {
      if (!actors::is_uuid(id))
        refuse("guests: \"" + id + "\" is neither a guest nor a UUID");
      std::ranges::transform(id, id.begin(), rpc::text::lower);
    }
    ids.insert(std::move(id));
  }
  selector.ids.assign(ids.begin(), ids.end());
  return actors::encode(selector);
}

void read_member(const context& cx, store::token& token, std::string_view key, const node& value) {
  if (key == "name")
    token.name = read_name(value);
  else if (key == "role")
    token.role = read_role(value);
  else if (key == "scopes")
    token.scopes = read_scopes(value);
  else if (key == "guests")
    token.guests = value.is_null() ? std::string{} : read_guests(cx, value);
  else if (key == "service")
    token.service = value.as_string("service");
  else if (key == "expires")
    token.expires = value.is_null() ? rpc::timestamp{} : read_expiry(value);
  else // it may be meant to restrict the token
    refuse(std::string{key} + ": is not known");
}

store::token read_token(const context& cx, const std::string& body) {
  store::token token;
  const auto document = rpc::json::document::parse(body);
  rpc::json::expect_distinct_members(document.root());
  for (const auto& [key, value] : document.root().members("token"))
    read_member(cx, token, key, value);
  if (token.name.empty())
    refuse("name: is missing");
  if (token.role.empty() == token.scopes.empty())
    refuse("a token needs either role or scopes");
  const auto words = words_of(token.scopes);
  const auto has = [&](std::string_view scope) { return std::ranges::find(words, scope) != words.end(); };
  const bool reports = token.role == "sub-agent" || (has("report") && !has("admin"));
  if (token.service.empty() == reports)
    refuse("service: belongs to tokens that report, and those need one");
  if (!token.guests.empty() && (token.role == "admin" || has("admin") || has("debug")))
    refuse("guests: a token with the scope admin or debug cannot be limited to some");
  if (!token.service.empty() && !cx.settings.get()->services.contains(token.service))
    refuse("service: there is no service \"" + token.service + '"');
  return token;
}

/// A new secret would not hold either.
bool has_expired(const store::token& token, rpc::timestamp at) {
  return token.expires != rpc::timestamp{} && token.expires <= at;
}

void write_time(writer& out, std::string_view key, rpc::timestamp at) {
  if (at != rpc::timestamp{})
    out.key(key).value(rpc::encode(at));
}

/// Never the secret; `text` is the token as it is shown once.
std::string encode(const store::token& token, std::string_view text = {}) {
  writer out;
  out.begin_object().key("id").value(token.id).key("name").value(token.name);
  if (!token.role.empty())
    out.key("role").value(token.role);
  else
    write_names(out.key("scopes"), words_of(token.scopes));
  if (!token.guests.empty())
    out.key("guests").raw(token.guests);
  if (!token.service.empty())
    out.key("service").value(token.service);
  write_time(out, "created", token.created);
  write_time(out, "last_used", token.last_used);
  write_time(out, "expires", token.expires);
  if (!text.empty())
    out.key("token").value(text);
  out.end_object();
  return std::move(out).str();
}

} // namespace

task<answer> get_identity(context&, request& from) {
  const auto& who = *from.who;
  writer out;
  out.begin_object().key("name").value(who.name).key("how").value(to_string(who.how));
  out.key("role").value(who.role);
  write_names(out.key("scopes"), who.scopes.names());
  if (who.guests)
    out.key("guests").raw(actors::encode(*who.guests));
  out.end_object();
  co_return json_answer(200, std::move(out).str());
}

task<answer> list_tokens(context& cx, request&) {
  std::vector<std::string> texts;
  for (const auto& token : cx.tokens.all())
    texts.push_back(encode(*token));
  co_return json_answer(200, json_array(texts));
}

task<answer> create_token(context& cx, request& from) {
  auto token = read_token(cx, from.body);
  const auto secret = new_token_secret();
  token.id = new_token_id();
  token.hash = hash_of(secret);
  token.created = now();
  const auto what = "create token " + token.id + ' ' + token.name;
  store::token_change change = store::add_token{std::move(token)}; // a name: GCC 12 destroys such temporaries twice
  auto audit = audit_of(from, 201, what);
  const auto stored = co_await cx.agents.change_token(std::move(change), std::move(audit));
  auto made = changed(json_answer(201, encode(stored, write_token(stored.id, secret))));
  made.subject().action = what;
  co_return made;
}

task<answer> delete_token(context& cx, request& from) {
  store::token_change change = store::remove_token{from.captures["token"]};
  auto audit = audit_of(from, 204);
  co_await cx.agents.change_token(std::move(change), std::move(audit));
  answer out;
  out.status = 204;
  co_return changed(std::move(out));
}

task<answer> rotate_token(context& cx, request& from) {
  const auto at = now();
  if (const auto token = cx.tokens.find(from.captures["token"]); token && has_expired(*token, at))
    throw failure{errc::conflict, "the token has expired"};
  const auto secret = new_token_secret();
  store::token_change change = store::rotate_token{from.captures["token"], hash_of(secret), at, at + grace};
  auto audit = audit_of(from, 200);
  const auto stored = co_await cx.agents.change_token(std::move(change), std::move(audit));
  co_return changed(json_answer(200, encode(stored, write_token(stored.id, secret))));
}

} // namespace mistify::http::handlers
