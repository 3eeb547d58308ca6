#include "actors/config/option_sections.hpp"

#include "actors/config/field_readers.hpp"
#include "rpc/base/log.hpp"
#include "rpc/http1/door.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace mistify::actors {

using rpc::json::node;

namespace {

/// True for limits that 0 disables.
bool may_be_off(std::string_view limit) {
  constexpr std::array off{"requests_per_second", "connections_of_one", "least_rate", "free_space", "job_minutes"};
  return std::find(off.begin(), off.end(), limit) != off.end();
}

/// Refuses an empty address, which would mean every interface: a variable of a template was not set, probably.
std::string read_listen_address(const node& value, const std::string& field) {
  if (value.as_string(field).empty())
    refuse_config(field + ": an address must not be empty");
  return value.as_string(field);
}

} // namespace

void config_source::warn_unknown(const std::string& where, std::string_view key) const {
  warnings.push_back(file + ": unknown key " + where + std::string{key});
}

void read_limits(const node& value, const config_source& from, limits& limit) {
  const std::map<std::string_view, std::size_t*> known{
    {"info", &limit.info},
    {"info_waiting", &limit.info_waiting},
    {"stream", &limit.stream},
    {"stream_waiting", &limit.stream_waiting},
    {"queue", &limit.queue},
    {"jobs", &limit.jobs},
    {"jobs_most", &limit.jobs_most},
    {"job_minutes", &limit.job_minutes},
    {"retries", &limit.retries},
    {"events", &limit.events},
    {"guests", &limit.guests},
    {"guest_bytes", &limit.guest_bytes},
    {"metadata_bytes", &limit.metadata_bytes},
    {"nesting", &limit.nesting},
    {"open_image_jobs", &limit.open_image_jobs},
    {"image_jobs", &limit.image_jobs},
    {"requests_per_second", &limit.requests_per_second},
    {"connections_of_one", &limit.connections_of_one},
    {"event_readers_of_one", &limit.event_readers_of_one},
    {"waiting_bytes", &limit.waiting_bytes},
    {"least_rate", &limit.least_rate},
    {"message_bytes", &limit.message_bytes},
    {"metric_devices", &limit.metric_devices},
    {"free_space", &limit.free_space},
  };
  for (const auto& [key, v] : value.members("limits")) {
    const auto field = "limits." + std::string{key};
    if (auto target = known.find(key); target != known.end())
      *target->second = may_be_off(key) ? read_count_or_zero(v, field) : read_count(v, field);
    else
      from.warn_unknown("limits.", key);
  }
}

/// One that no Host can be would never be answered: "http://name".
std::string read_host_name(const node& value, const config_source& from, const std::string& field) {
  auto name = value.as_string(field);
  if (name != "*" && !rpc::parse_authority(name))
    refuse_config(from.file + ": " + field + ": \"" + name + "\" is no host name");
  return name;
}

void read_http(const node& value, const config_source& from, http_options& http) {
  for (const auto& [key, v] : value.members("http")) {
    const auto field = "http." + std::string{key};
    if (key == "get_actions")
      http.get_actions = v.as_bool(field);
    else if (key == "max_body")
      http.max_body = read_count(v, field);
    else if (key == "max_connections")
      http.max_connections = read_count(v, field);
    else if (key == "max_downloads")
      http.max_downloads = read_count(v, field);
    else if (key == "max_event_readers")
      http.max_event_readers = read_count(v, field);
    else if (key == "listen")
      for (const node& address : v.items(field))
        http.listen.push_back(read_listen_address(address, field));
    else if (is_name(key, "listen"))
      refuse_config(from.file + ": " + field + ": the name of this key is http.listen");
    else if (key == "names")
      for (const node& name : v.items(field))
        http.names.push_back(read_host_name(name, from, field));
    else
      from.warn_unknown("http.", key);
  }
}

void read_clients(std::string_view name, const node& value, const config_source& from, clients& allowed) {
  const auto field = std::string{name} + ".access";
  for (const auto& [key, v] : value.members(name)) {
    if (key != "access") {
      from.warn_unknown(std::string{name} + '.', key);
      continue;
    }
    const auto who = v.as_string(field);
    if (who == "off")
      allowed = clients::off;
    else if (who == "loopback")
      allowed = clients::loopback;
    else if (who == "any")
      allowed = clients::any;
    else
      refuse_config(field + ": must be off, loopback or any");
  }
}

void read_log(const node& value, const config_source& from, log_options& log) {
  for (const auto& [key, v] : value.members("log")) {
    if (key == "level")
      log.level = v.as_string("log.level");
    else if (key == "audit")
      log.audit = v.as_bool("log.audit");
    else
      from.warn_unknown("log.", key);
  }
  if (const auto& level = log.level; !level.empty() && !rpc::log::is_level(level))
    refuse_config("log.level: must be debug, info, warning, error, critical or fatal");
}

host_options read_host(const node& value, const config_source& from) {
  host_options options;
  for (const auto& [key, v] : value.members("host")) {
    const auto field = "host." + std::string{key};
    if (key == "cpu_ratio")
      options.cpu_ratio = read_ratio(v, field);
    else if (key == "memory_ratio")
      options.memory_ratio = read_ratio(v, field);
    else if (key == "reserve_memory")
      options.reserve_memory = v.as_uint(field);
    else if (key == "reserve_disk")
      options.reserve_disk = v.as_uint(field);
    else
      from.warn_unknown("host.", key);
  }
  return options;
}

} // namespace mistify::actors
