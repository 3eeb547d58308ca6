#include "actors/config/field_readers.hpp"

#include "actors/config/access.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <sys/un.h>
#include <utility>

namespace mistify::actors {

using rpc::errc;
using rpc::failure;
using rpc::json::node;
using std::chrono::milliseconds;

void refuse_config(std::string why) {
  std::replace_if(why.begin(), why.end(), rpc::text::is_control, '?');
  throw failure{errc::config_invalid, std::move(why)};
}

milliseconds read_seconds(const node& value, const std::string& field) {
  const double seconds = value.as_double(field);
  constexpr double a_year = 366.0 * 24 * 3600;
  if (!(seconds >= 0 && seconds <= a_year))
    refuse_config(field + ": must be a number of seconds, 0 or more");
  return milliseconds{std::llround(seconds * 1000)};
}

std::size_t read_count(const node& value, const std::string& field) {
  const auto count = value.as_uint(field);
  if (count == 0 || count > std::numeric_limits<std::int32_t>::max())
    refuse_config(field + ": must be from 1 to 2147483647");
  return count;
}

std::size_t read_count_or_zero(const node& value, const std::string& field) {
  return value.as_uint(field) == 0 ? 0 : read_count(value, field);
}

std::string read_socket(const node& value, const std::string& field) {
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  auto path = value.as_string(field);
  if (!path.starts_with('/') || path.size() > longest)
    refuse_config(field + ": must be an absolute path of at most " + std::to_string(longest) + " bytes");
  return path;
}

uid_t read_user(const node& value, const std::string& field) {
  const auto name = value.as_string(field);
  const auto id = find_user(name);
  if (!id)
    refuse_config(field + ": there is no user \"" + name + '"');
  return *id;
}

bool is_name(std::string_view key, std::string_view name) {
  return rpc::text::equal_ignoring_case(key, name);
}

std::string_view original_key(original_part of, std::string_view key) {
  constexpr std::pair<original_part, std::string_view> known[] = {
    {original_part::config, "actions"}, {original_part::config, "services"}, {original_part::config, "dbpath"},
    {original_part::service, "port"},   {original_part::service, "path"},    {original_part::service, "max_pending"},
    {original_part::action, "stages"},  {original_part::stage, "service"},   {original_part::stage, "method"},
    {original_part::stage, "args"}};
  for (const auto& [part, name] : known)
    if (part == of && is_name(key, name))
      return name;
  return key;
}

double read_ratio(const node& value, const std::string& field) {
  const double ratio = value.as_double(field);
  if (!(ratio >= 0.01 && ratio <= 1000))
    refuse_config(field + ": must be from 0.01 to 1000");
  return ratio;
}

} // namespace mistify::actors
