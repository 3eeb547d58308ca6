#include "http/cli/mistify/listing.hpp"

#include "http/cli/mistify/screen.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>

namespace mistify::cli {

namespace {

bool is_usual(std::string_view column, const layout& how) {
  return std::ranges::any_of(how.usual,
                             [&](std::string_view one) { return rpc::text::equal_ignoring_case(one, column); });
}

bool is_known(std::string_view column, const rows& all) {
  return std::ranges::any_of(all, [&](const rpc::json::node& one) { return find_member(one, column) != nullptr; });
}

/// The members that the rows have, each once, 40 at most.
std::string members_of(const rows& all) {
  constexpr std::size_t most = 40;
  std::vector<std::string_view> names;
  for (const rpc::json::node& one : all)
    for (const auto& [key, value] : one.members("row"))
      if (names.size() < most && std::ranges::find(names, key) == names.end())
        names.push_back(key);
  std::string text;
  for (const auto& name : names)
    text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

void warn_of_unknown(std::string_view kind, const rows& all, const layout& how) {
  std::string names;
  for (const auto& column : unknown_columns(all, how))
    names.append(names.empty() ? "\"" : " or \"").append(column).append("\"");
  if (names.empty())
    return;
  print_error("mistify: no " + std::string{kind} + " has " + names);
  if (const auto members = members_of(all); !members.empty())
    print_error("mistify: its members: " + members);
}

} // namespace

std::vector<std::string> unknown_columns(const rows& all, const layout& how) {
  auto asked = how.columns;
  if (!how.sort.empty())
    asked.push_back(how.sort.substr(how.sort.starts_with('-') ? 1 : 0));
  std::vector<std::string> unknown;
  for (auto& column : asked)
    if (!all.empty() && !is_usual(column, how) && !is_known(column, all) &&
        std::ranges::find(unknown, column) == unknown.end())
      unknown.push_back(std::move(column));
  return unknown;
}

void print_rows(std::string_view kind, const rows& all, const layout& how) {
  warn_of_unknown(kind, all, how);
  print(render(all, how));
}

void print_object(std::string_view kind, const rpc::json::node& object, const layout& how) {
  warn_of_unknown(kind, {object}, how);
  print(render_one(object, how));
}

} // namespace mistify::cli
