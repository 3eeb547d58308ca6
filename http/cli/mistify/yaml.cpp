#include "http/cli/mistify/yaml.hpp"

#include "http/cli/mistify/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace mistify::cli {

using rpc::json::node;

namespace {

std::string quoted(std::string_view text) {
  rpc::json::writer out;
  out.value(text);
  return escape_json(out.str());
}

bool is_plain(std::string_view key) {
  constexpr std::array words{"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (key.empty() || !letter(key.front()))
    return false;
  std::string lower{key};
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return std::ranges::find(words, lower) == words.end() &&
         std::ranges::all_of(key, [&](char c) { return letter(c) || c == '-' || (c >= '0' && c <= '9'); });
}

void write(std::string& out, const node& value, std::size_t depth);

/// A value behind "key:" or "-".
void write_inner(std::string& out, const node& value, std::size_t depth, bool in_list) {
  const bool list = value.type() == node::kind::array, object = value.type() == node::kind::object;
  const bool empty = (list && value.items("").empty()) || (object && value.members("").empty());
  if ((!list && !object) || empty) {
    out += ' ';
    write(out, value, depth);
    return;
  }
  if (in_list && object) { // "- key: value": the first member stands on the line of the dash
    std::string inner;
    write(inner, value, depth);
    out.append(" ").append(inner.substr(2 * depth));
    return;
  }
  out += '\n';
  write(out, value, depth);
}

void write(std::string& out, const node& value, std::size_t depth) {
  const std::string margin(2 * depth, ' ');
  if (value.type() == node::kind::array && !value.items("").empty()) {
    for (const node& item : value.items("")) {
      out.append(margin).append("-");
      write_inner(out, item, depth + 1, true);
    }
  } else if (value.type() == node::kind::object && !value.members("").empty()) {
    for (const auto& [key, inner] : value.members("")) {
      out.append(margin).append(is_plain(key) ? std::string{key} : quoted(key)).append(":");
      write_inner(out, inner, depth + 1, false);
    }
  } else {
    out.append(value.type() == node::kind::string ? quoted(value.as_string("")) : value.text()).append("\n");
  }
}

} // namespace

std::string to_yaml(const node& value) {
  std::string out;
  write(out, value, 0);
  return out;
}

} // namespace mistify::cli
