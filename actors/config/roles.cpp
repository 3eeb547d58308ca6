#include "actors/config/roles.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mistify::actors {

namespace {

using enum scope;

constexpr std::array<std::pair<scope, std::string_view>, 12> scopes{{
  {read, "read"},
  {metadata, "metadata"},
  {power, "power"},
  {guest, "guest"},
  {snapshot, "snapshot"},
  {data, "data"},
  {image, "image"},
  {console, "console"},
  {metrics, "metrics"},
  {report, "report"},
  {debug, "debug"},
  {admin, "admin"},
}};

constexpr scope_set everything{read,  metadata, power,   guest,  snapshot, data,
                               image, console,  metrics, report, debug,    admin};

constexpr std::array<std::pair<std::string_view, scope_set>, 7> roles{{
  {"none", {}},
  {"viewer", {read, metrics}},
  {"operator", {read, metrics, metadata, power, snapshot, console}},
  {"controller", {read, metrics, metadata, power, snapshot, console, guest, data, image}},
  {"metrics", {metrics}},
  {"sub-agent", {report}},
  {"admin", everything},
}};

} // namespace

std::string_view to_string(scope which) noexcept {
  return scopes.at(static_cast<std::size_t>(which)).second;
}

std::optional<scope> find_scope(std::string_view name) noexcept {
  const auto* found = std::ranges::find(scopes, name, &std::pair<scope, std::string_view>::second);
  return found == scopes.end() ? std::nullopt : std::optional{found->first};
}

std::vector<std::string_view> scope_set::names() const {
  std::vector<std::string_view> result;
  for (const auto& [one, name] : scopes)
    if (has(one))
      result.push_back(name);
  return result;
}

scope_set scope_set::all() noexcept {
  return everything;
}

std::optional<scope_set> find_role(std::string_view name) noexcept {
  const auto* found = std::ranges::find(roles, name, &std::pair<std::string_view, scope_set>::first);
  return found == roles.end() ? std::nullopt : std::optional{found->second};
}

std::string_view role_of(scope_set wanted) noexcept {
  const auto* found = std::ranges::find(roles, wanted, &std::pair<std::string_view, scope_set>::second);
  return found == roles.end() ? std::string_view{} : found->first;
}

} // namespace mistify::actors
