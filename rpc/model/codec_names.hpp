#pragma once

#include "rpc/base/text.hpp"
#include "rpc/model/codec_fields.hpp"
#include "rpc/model/exact_names.hpp"

#include <initializer_list>
#include <string_view>
#include <utility>

/// Private to the codec: names that differ from known ones only in case.
namespace mistify::rpc::wire {

/// True if a Go reader treats `name` as `known`, which is ASCII.
inline bool folds_to(std::string_view name, std::string_view known) {
  constexpr std::string_view long_s = "\u017f", kelvin = "\u212a";
  for (const char wanted : known) {
    const char w = text::lower(wanted);
    if (!name.empty() && text::lower(name.front()) == w)
      name.remove_prefix(1);
    else if (w == 's' && name.starts_with(long_s))
      name.remove_prefix(long_s.size());
    else if (w == 'k' && name.starts_with(kelvin))
      name.remove_prefix(kelvin.size());
    else
      return false;
  }
  return name.empty();
}

/// Searches the members of an object that are not in the table of its type. `reserved`: names outside of the table
/// that have a meaning for sub-agents or later versions.
template <class T>
std::optional<inexact_name> inexact_member(const T& value, std::string_view path,
                                           std::initializer_list<std::string_view> reserved = {}) {
  for (const auto& [name, text] : value.extra) {
    for (const auto other : reserved)
      if (name != other && folds_to(name, other))
        return inexact_name{join(path, name), std::string{other}};
    std::string_view known;
    const auto is_meant = [&, key = std::string_view{name}](const auto& f) {
      known = f.name;
      return folds_to(key, f.name);
    };
    if (std::apply([&](const auto&... f) { return (is_meant(f) || ...); }, fields<T>::all))
      return inexact_name{join(path, name), std::string{known}};
  }
  return std::nullopt;
}

[[noreturn]] inline void refuse(const inexact_name& found) {
  throw failure{errc::invalid_request, found.path + ": the name of this member is " + found.known};
}

/// For a request that keeps no unknown members. Throws `failure{invalid_request}` for a name that is one of `known` in another
/// case; other names are free.
inline void expect_exact_members(const json::node& of, std::initializer_list<std::string_view> known) {
  for (const auto& member : of.members("body"))
    for (const auto name : known)
      if (member.key != name && folds_to(member.key, name))
        refuse({std::string{member.key}, std::string{name}});
}

/// The same, of the names in a type's table.
template <class T>
void expect_exact_members(const json::node& of) {
  std::apply([&](const auto&... f) { expect_exact_members(of, {f.name...}); }, fields<T>::all);
}

} // namespace mistify::rpc::wire
