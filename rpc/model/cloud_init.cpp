#include "rpc/model/cloud_init.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>

namespace mistify::rpc {

namespace {

using json::node;

constexpr std::size_t most_keys = 64, longest_key = 16 * 1024;
constexpr std::size_t longest_hostname = 253, longest_label = 63;
constexpr std::string_view user_data_member = "user_data";

[[noreturn]] void refuse(const std::string& field, const std::string& why) {
  throw failure{errc::invalid_request, field + ": " + why};
}

std::string bounded_text(const node& value, const std::string& field) {
  auto text = value.as_string(field);
  if (text.size() > longest_user_data)
    refuse(field, "has more than " + std::to_string(longest_user_data) + " bytes");
  if (text.find('\0') != text.npos)
    refuse(field, "must not hold NUL bytes");
  return text;
}

std::vector<std::string> keys_in(const node& value, const std::string& field) {
  std::vector<std::string> keys;
  for (const node& one : value.items(field)) {
    const auto at = field + '[' + std::to_string(keys.size()) + ']';
    const auto& key = keys.emplace_back(one.as_string(at));
    if (key.empty() || key.size() > longest_key || has_control(key))
      refuse(at, "must be one line of text");
    if (keys.size() > most_keys)
      refuse(field, "has more than " + std::to_string(most_keys) + " keys");
  }
  return keys;
}

bool is_label(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= longest_label && std::ranges::all_of(text, is_plain) && text.front() != '-' &&
         text.back() != '-';
}

bool is_hostname(std::string_view text) {
  if (text.size() > longest_hostname)
    return false;
  for (;;) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot)))
      return false;
    if (dot == text.npos)
      return true;
    text.remove_prefix(dot + 1);
  }
}

std::string hostname_in(const node& value, const std::string& field) {
  auto name = value.as_string(field);
  if (!name.empty() && !is_hostname(name))
    refuse(field, "must be labels of letters, digits and hyphens, with dots between them");
  return name;
}

/// A key that is no name is not quoted: its text is whatever a client sent, of any length.
[[noreturn]] void refuse_unknown(std::string_view key) {
  constexpr std::size_t longest_name = 32;
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (key.empty() || key.size() > longest_name || !std::ranges::all_of(key, is_plain))
    refuse(std::string{cloud_init_member}, "has an unknown member");
  refuse(std::string{cloud_init_member} + '.' + std::string{key}, "is no member of cloud_init");
}

} // namespace

bool has_cloud_init(const guest& of) noexcept {
  const auto found = of.extra.find(cloud_init_member);
  return found != of.extra.end() && found->second != "null";
}

std::optional<cloud_init> cloud_init_of(const guest& of) {
  if (!has_cloud_init(of))
    return std::nullopt;
  const auto found = of.extra.find(cloud_init_member);
  const auto document = json::document::parse(found->second);
  if (document.root().type() != node::kind::object)
    refuse(std::string{cloud_init_member}, "must be an object");
  cloud_init init;
  for (const auto& [key, value] : document.root().members(cloud_init_member)) {
    const auto field = std::string{cloud_init_member} + '.' + std::string{key};
    if (key == user_data_member)
      init.user_data = bounded_text(value, field);
    else if (key == "network_config")
      init.network_config = bounded_text(value, field);
    else if (key == "ssh_keys")
      init.ssh_keys = keys_in(value, field);
    else if (key == "hostname")
      init.hostname = hostname_in(value, field);
    else
      refuse_unknown(key);
  }
  if (init.network_config && init.network_config->empty())
    init.network_config.reset();
  return init;
}

void hide_user_data(guest& of) {
  const auto found = of.extra.find(cloud_init_member);
  if (found == of.extra.end())
    return;
  const auto document = json::document::parse(found->second);
  if (document.root().type() != node::kind::object) { // of before the member had a meaning
    of.extra.erase(found);
    return;
  }
  json::writer shown;
  shown.begin_object();
  for (const auto& [key, value] : document.root().members(cloud_init_member))
    if (key != user_data_member && document.root().find(key) == &value)
      shown.key(key).raw(value.text());
  shown.end_object();
  found->second = std::move(shown).str();
}

} // namespace mistify::rpc
