#include "http/api/handlers/parameters.hpp"

#include "rpc/base/error.hpp"
#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace mistify::http::handlers {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;

namespace {

/// The length of a list without `?limit`.
constexpr std::size_t usual_limit = 1000;

constexpr std::chrono::milliseconds longest_wait = 10min;

/// Splits a leading whole number from the rest. A number too large for the type becomes the largest.
std::pair<std::uint64_t, std::string_view> split_number(std::string_view text, const std::string& error) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, number);
  if (fault == std::errc::invalid_argument)
    throw failure{errc::invalid_request, error};
  if (fault == std::errc::result_out_of_range)
    number = UINT64_MAX;
  return {number, {rest, static_cast<std::size_t>(end - rest)}};
}

bool is_epoch(std::string_view text) {
  constexpr std::size_t longest = 64;
  return !text.empty() && text.size() <= longest &&
         std::ranges::all_of(text, [](char c) { return rpc::text::is_digit(c) || (c >= 'a' && c <= 'f'); });
}

} // namespace

std::size_t limit_of(const request& from, std::size_t most) {
  constexpr auto error = "limit: must be a whole number";
  const auto* text = from.parameter("limit");
  if (!text)
    return usual_limit;
  const auto [limit, rest] = split_number(*text, error);
  if (!rest.empty())
    throw failure{errc::invalid_request, error};
  return std::min<std::uint64_t>(limit, most);
}

std::optional<std::uint64_t> number_of(const request& from, const std::string& name) {
  const auto error = name + ": must be a whole number";
  const auto* text = from.parameter(name);
  if (!text)
    return std::nullopt;
  const auto [number, rest] = split_number(*text, error);
  if (!rest.empty())
    throw failure{errc::invalid_request, error};
  return std::min<std::uint64_t>(number, INT64_MAX);
}

std::chrono::milliseconds duration_of(const request& from, const std::string& name, std::chrono::milliseconds usual,
                                      std::chrono::milliseconds longest) {
  const auto error = name + ": must be a time such as 30s or 500ms";
  const auto* text = from.parameter(name);
  if (!text)
    return usual;
  const auto [number, unit] = split_number(*text, error);
  constexpr std::pair<std::string_view, std::uint64_t> units[] = {
    {"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  for (const auto& [known, factor] : units)
    if (unit == known) {
      const std::uint64_t most = longest.count();
      return std::chrono::milliseconds{number > most / factor ? most : number * factor};
    }
  throw failure{errc::invalid_request, error};
}

std::chrono::milliseconds wait_of(const request& from) {
  return duration_of(from, "wait", 0ms, longest_wait);
}

std::chrono::seconds seconds_of(const request& from) {
  constexpr auto error = "seconds: must be a whole number, 1 or more";
  constexpr std::chrono::seconds usual = 30s, longest = 10min;
  const auto* text = from.parameter("seconds");
  if (!text)
    return usual;
  const auto [number, rest] = split_number(*text, error);
  if (!rest.empty() || number == 0)
    throw failure{errc::invalid_request, error};
  return std::chrono::seconds{std::min<std::uint64_t>(number, longest.count())};
}

std::optional<event_place> last_event_of(const request& from) {
  constexpr auto error = "last_event_id: must be a whole number, or an epoch, a hyphen and a number";
  std::string_view text = from.header("last-event-id");
  if (const auto* parameter = from.parameter("last_event_id"); parameter && text.empty()) {
    if (parameter->empty())
      throw failure{errc::invalid_request, error};
    text = *parameter;
  }
  if (text.empty())
    return std::nullopt;
  event_place place;
  if (const auto hyphen = text.rfind('-'); hyphen != text.npos) {
    place.epoch = text.substr(0, hyphen);
    text.remove_prefix(hyphen + 1);
    if (!is_epoch(place.epoch))
      throw failure{errc::invalid_request, error};
  }
  const auto [number, rest] = split_number(text, error);
  if (!rest.empty())
    throw failure{errc::invalid_request, error};
  place.id = static_cast<std::int64_t>(std::min<std::uint64_t>(number, INT64_MAX));
  return place;
}

bool flag_of(const request& from, const std::string& name, bool usual) {
  const auto* given = from.find_parameter(name);
  if (!given)
    return usual;
  if (given->value == "false" || given->value == "0")
    return false;
  if (given->value == "true" || given->value == "1" || given->bare)
    return true;
  throw failure{errc::invalid_request, name + ": must be true or false"};
}

} // namespace mistify::http::handlers
