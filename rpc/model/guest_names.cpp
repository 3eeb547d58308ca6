#include "rpc/model/guest_names.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"
#include "rpc/model/merge_patch.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace mistify::rpc {

namespace {

constexpr std::size_t longest_name = 64, longest_key = 64, longest_value = 256, most_labels = 64;

[[noreturn]] void refuse(const std::string& why) {
  throw failure{errc::invalid_request, why};
}

/// Of valid UTF-8.
std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
    std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

/// 8-4-4-4-12 hexadecimal digits.
bool is_shaped_like_uuid(std::string_view text) {
  constexpr std::size_t length = 36;
  if (text.size() != length)
    return false;
  for (std::size_t i = 0; i < length; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : text::hex_value(text[i]) < 0)
      return false;
  }
  return true;
}

std::string text_of(const json::node& value, const std::string& field) {
  if (value.type() != json::node::kind::string)
    refuse(field + ": must be a string");
  return value.as_string(field);
}

void check(const guest& in, const std::string& member, void (*expect_valid)(const json::node&)) {
  if (const auto found = in.extra.find(member); found != in.extra.end())
    expect_valid(json::document::parse(found->second).root());
}

} // namespace

void expect_valid_name(const json::node& value) {
  const auto name = text_of(value, "name");
  const auto characters = count_characters(name);
  if (characters == 0 || characters > longest_name)
    refuse("name: must have 1 to " + std::to_string(longest_name) + " characters");
  if (has_control(name) || name.find('/') != name.npos || name.front() == '-')
    refuse("name: must have no control character and no slash, and must not begin with a hyphen");
  if (is_shaped_like_uuid(name))
    refuse("name: must not look like a UUID");
}

void expect_valid_labels(const json::node& value) {
  if (value.type() != json::node::kind::object)
    refuse("labels: must be an object of strings");
  const auto labels = value.members("labels");
  if (labels.size() > most_labels)
    refuse("labels: more than " + std::to_string(most_labels));
  for (const auto& [key, label] : labels) {
    const auto text = text_of(label, "labels." + std::string{key});
    const auto length = count_characters(key);
    if (length == 0 || length > longest_key || key.find('=') != key.npos || has_control(key))
      refuse("labels: a key must have 1 to " + std::to_string(longest_key) + " characters, none of them = or control");
    if (count_characters(text) > longest_value || has_control(text))
      refuse("labels." + std::string{key} + ": must have at most " + std::to_string(longest_value) +
             " characters, no control characters");
  }
}

void drop_null_labels(guest& from_client) {
  const auto found = from_client.extra.find("labels");
  if (found == from_client.extra.end() || found->second.find("null") == std::string::npos)
    return;
  const auto labels = json::document::parse(found->second);
  found->second = merge_patch(json::document{}.root(), labels.root());
  if (found->second == "{}")
    from_client.extra.erase(found);
}

void expect_valid_names(const guest& from_client) {
  if (from_client.extra.empty())
    return;
  check(from_client, "name", expect_valid_name);
  check(from_client, "labels", expect_valid_labels);
}

} // namespace mistify::rpc
