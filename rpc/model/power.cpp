#include "rpc/model/power.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace mistify::rpc {

namespace {

using json::node;

constexpr std::size_t most_restarts = 1000;
constexpr std::uint64_t longest_window = 7 * 24 * 3600; // seconds
constexpr std::uint64_t longest_delay = 3600;
constexpr std::int64_t largest_order = 1'000'000;

template <class Enum>
using names = std::array<std::pair<std::string_view, Enum>, 3>;

constexpr names<boot_policy> boots{{{"last", boot_policy::last}, {"on", boot_policy::on}, {"off", boot_policy::off}}};
constexpr names<restart_policy> restarts{
  {{"never", restart_policy::never}, {"on-crash", restart_policy::on_crash}, {"always", restart_policy::always}}};

[[noreturn]] void refuse(const std::string& field, const std::string& why) {
  throw failure{errc::invalid_request, field + ": " + why};
}

template <class Enum>
Enum one_of(const names<Enum>& known, const node& value, const std::string& field) {
  const auto text = value.as_string(field);
  for (const auto& [name, meaning] : known)
    if (name == text)
      return meaning;
  std::string all;
  for (const auto& [name, meaning] : known)
    all.append(all.empty() ? "" : ", ").append(name);
  refuse(field, "must be one of " + all);
}

std::uint64_t bounded(const node& value, const std::string& field, std::uint64_t least, std::uint64_t most) {
  const auto number = value.as_uint(field);
  if (number < least || number > most)
    refuse(field, "must be from " + std::to_string(least) + " to " + std::to_string(most));
  return number;
}

std::int64_t order_in(const node& value, const std::string& field) {
  const auto order = value.as_int(field);
  if (order < -largest_order || order > largest_order)
    refuse(field, "must be from -" + std::to_string(largest_order) + " to " + std::to_string(largest_order));
  return order;
}

void expect_known_members(const node& power) {
  constexpr std::array<std::string_view, 6> known{"boot", "restart", "max", "within", "order", "delay"};
  if (!power.is_null() && power.type() != node::kind::object)
    refuse("power", "must be an object");
  for (const auto& one : power.members("power"))
    if (std::ranges::find(known, one.key) == known.end())
      refuse("power." + std::string{one.key}, "is no member of power");
}

power_rules decode_power(const node& from) {
  expect_known_members(from);
  power_rules rules;
  const auto read = [&from](const char* name, auto use) {
    if (const auto* value = from.find(name); value && !value->is_null())
      use(*value, std::string{"power."} + name);
  };
  using std::chrono::seconds;
  read("boot", [&](auto& value, auto field) { rules.boot = one_of(boots, value, field); });
  read("restart", [&](auto& value, auto field) { rules.restart = one_of(restarts, value, field); });
  read("max", [&](auto& value, auto field) { rules.max = bounded(value, field, 1, most_restarts); });
  read("within", [&](auto& value, auto field) { rules.within = seconds{bounded(value, field, 1, longest_window)}; });
  read("order", [&](auto& value, auto field) { rules.order = order_in(value, field); });
  read("delay", [&](auto& value, auto field) { rules.delay = seconds{bounded(value, field, 0, longest_delay)}; });
  return rules;
}

void expect_io_policy(const std::string& text) {
  if (text != R"("resume")" && text != R"("stay")" && text != "null")
    refuse("on_io_error", "must be resume or stay");
}

} // namespace

bool is_off(std::string_view state) noexcept {
  return state == "crashed" || state == "shutoff" || state == "stopped";
}

bool is_on(std::string_view state) noexcept {
  return state == "running" || state == "blocked" || state == "paused" || state == "suspended";
}

power_rules power_of(const guest& of) noexcept {
  try {
    const auto found = of.extra.find("power");
    return found == of.extra.end() ? power_rules{} : decode_power(json::document::parse(found->second).root());
  } catch (...) {
    return {};
  }
}

void expect_power(const guest& from_client) {
  if (const auto found = from_client.extra.find("power"); found != from_client.extra.end())
    decode_power(json::document::parse(found->second).root());
  if (const auto found = from_client.extra.find("on_io_error"); found != from_client.extra.end())
    expect_io_policy(found->second);
}

} // namespace mistify::rpc
