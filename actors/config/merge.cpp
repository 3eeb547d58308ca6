#include "actors/config/merge.hpp"

#include "actors/config/field_readers.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

namespace mistify::actors {

namespace {

using rpc::json::document;
using rpc::json::node;
using rpc::json::writer;

/// A JSON value that can be merged: an object, or text.
struct value {
  std::map<std::string, value, std::less<>> members;
  std::string text; ///< of all but objects
  bool is_object = false;
};

bool is_secret(std::string_view name) {
  std::string lower{name};
  std::ranges::transform(lower, lower.begin(), rpc::text::lower);
  return std::ranges::any_of(std::array{"password", "secret", "token"},
                             [&](std::string_view word) { return lower.find(word) != lower.npos; });
}

/// "https://user:password@host" without what is before the @. A password may have any of ?, # and @ in it.
std::string without_credentials(const std::string& text) {
  const auto begin = text.find("://");
  if (begin == text.npos)
    return text;
  const auto host = begin + 3, at = text.rfind('@', text.find('/', host));
  return at == text.npos || at < host ? text : text.substr(0, host) + text.substr(at + 1);
}

void write_clean(writer& out, const node& from) {
  switch (from.type()) {
  case node::kind::object:
    out.begin_object();
    for (const auto& [key, inner] : from.members("config"))
      if (!is_secret(key))
        write_clean(out.key(key), inner);
    out.end_object();
    break;
  case node::kind::array:
    out.begin_array();
    for (const node& one : from.items("config"))
      write_clean(out, one);
    out.end_array();
    break;
  case node::kind::string: out.value(without_credentials(from.as_string("config"))); break;
  default: out.raw(from.text());
  }
}

std::string clean_text(const node& from) {
  writer out;
  write_clean(out, from);
  return std::move(out).str();
}

bool adds_up(std::string_view path) {
  return path == "http.listen" || path == "http.names";
}

/// "[a]" and "[b]" as "[a,b]".
std::string joined(const std::string& first, const std::string& second) {
  if (first.size() <= 2 || !first.starts_with('['))
    return second;
  return second.size() <= 2 ? first : first.substr(0, first.size() - 1) + "," + second.substr(1);
}

void add(value& to, const node& from, const std::string& path) {
  if (from.type() != node::kind::object) {
    auto text = clean_text(from);
    to.text = adds_up(path) ? joined(to.text, text) : std::move(text);
    to.is_object = false;
    return;
  }
  to.is_object = true;
  for (const auto& [written, inner] : from.members("config")) {
    const std::string key{path.empty() ? original_key(original_part::config, written) : written};
    if (!is_secret(key))
      add(to.members[key], inner, path.empty() ? key : std::string{path}.append(".").append(key));
  }
}

void write(writer& out, const value& from) {
  if (!from.is_object) {
    out.raw(from.text);
    return;
  }
  out.begin_object();
  for (const auto& [key, inner] : from.members)
    write(out.key(key), inner);
  out.end_object();
}

void compare(const value* before, const value* after, const std::string& path, std::vector<std::string>& differ) {
  const bool objects = (!before || before->is_object) && (!after || after->is_object) && (before || after);
  if (!objects || path.starts_with("actions.")) { // an action is replaced whole
    writer was, is;
    if (before)
      write(was, *before);
    if (after)
      write(is, *after);
    if (was.str() != is.str())
      differ.push_back(path);
    return;
  }
  std::map<std::string, std::pair<const value*, const value*>, std::less<>> both;
  if (before)
    for (const auto& [key, inner] : before->members)
      both[key].first = &inner;
  if (after)
    for (const auto& [key, inner] : after->members)
      both[key].second = &inner;
  for (const auto& [key, pair] : both) {
    auto inner = path;
    inner.append(path.empty() ? "" : ".").append(key);
    compare(pair.first, pair.second, inner, differ);
  }
}

value read(std::string_view text) {
  value all;
  const auto parsed = document::parse(text);
  add(all, parsed.root(), "");
  return all;
}

} // namespace

std::string merge_config(const config_texts& files) {
  value all;
  all.is_object = true;
  for (const auto& [name, text] : files) {
    try {
      const auto parsed = document::parse(text);
      add(all, parsed.root(), "");
    } catch (const rpc::failure& e) {
      throw rpc::failure{rpc::errc::config_invalid, name + ": " + e.message()};
    }
  }
  writer out;
  write(out, all);
  return std::move(out).str();
}

std::vector<std::string> config_differences(std::string_view before, std::string_view after) {
  std::vector<std::string> differ;
  const auto was = read(before), is = read(after);
  compare(&was, &is, "", differ);
  return differ;
}

} // namespace mistify::actors
