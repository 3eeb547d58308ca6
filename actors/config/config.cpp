#include "actors/config/config.hpp"

#include "actors/config/config_files.hpp"
#include "actors/config/field_readers.hpp"
#include "actors/config/option_sections.hpp"
#include "actors/config/waiting_actions.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"
#include "rpc/client/client.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace mistify::actors {

namespace {

using rpc::errc;
using rpc::failure;
using rpc::json::node;
using std::chrono::milliseconds;

// The default time-outs of a stage if neither it nor its service sets one. A response must be sent before the cluster
// controller gives up after 15 s; a job may clone disks; an image may have any size, so fetches have no bound.
constexpr milliseconds info_timeout{10'000};
constexpr milliseconds async_timeout{600'000};
constexpr milliseconds no_timeout{0};

milliseconds default_timeout(const action_kind& kind) {
  if (kind.name == "fetchImage" || kind.name == "containerFetchImage")
    return no_timeout;
  return kind.type == action_type::async ? async_timeout : info_timeout;
}

/// Throws if nobody could be called there.
void expect_endpoint(const service& s, const std::string& where, std::uint64_t port) {
  if (port != 0 && !s.socket.empty())
    refuse_config("service " + s.name + " has both a port and a socket");
  if (port == 0 && s.socket.empty())
    refuse_config("service " + s.name + " has no port");
  if (s.user && s.socket.empty())
    refuse_config(where + "user: needs a socket, of which the kernel says whose it is");
  if (port > std::numeric_limits<std::uint16_t>::max())
    refuse_config(where + "port: must be from 1 to 65535");
  const auto breaks_request_line = [](char c) { return c == ' ' || rpc::text::is_control(c); };
  if (s.path.front() != '/' || std::any_of(s.path.begin(), s.path.end(), breaks_request_line))
    refuse_config(where + "path: must begin with / and hold no spaces");
}

/// Builds one config from several files.
class builder {
public:
  void add(const std::string& file, const std::string& text);
  config finish() &&;

private:
  void add_services(const node& services);
  void add_actions(const node& actions);
  service read_service(const std::string& name, const node& value);
  void warn_of_places(const std::string& where, const service& s);
  stage read_stage(const std::string& action_name, const node& value);
  void read_top_level(std::string_view key, const node& value);
  /// Of two files that both say who may do what, neither can be meant to lose.
  template <class Options>
  void read_once(std::string_view key, std::optional<Options>& to, Options options) const {
    if (to)
      refuse_config(file_ + ": " + std::string{key} + " has already been defined");
    to = std::move(options);
  }
  config_source source() { return {file_, config_.warnings}; }

  struct raw_action {
    const action_kind* kind;
    std::vector<std::pair<stage, bool>> stages; ///< the flag: whether the stage sets a timeout
  };

  std::string file_; // the file being read
  config config_;
  std::map<std::string, raw_action> actions_;
  bool stage_has_timeout_ = false;
};

service builder::read_service(const std::string& name, const node& value) {
  service s;
  s.name = name;
  s.path = std::string{rpc::default_rpc_path};
  const std::string where = "services." + name + ".";
  std::uint64_t port = 0;
  for (const auto& [written, v] : value.members("services." + name)) {
    const auto key = original_key(original_part::service, written);
    const auto field = where + std::string{written};
    if (key == "port")
      port = v.as_uint(field);
    else if (key == "socket")
      s.socket = read_socket(v, field);
    else if (key == "user")
      s.user = read_user(v, field);
    else if (key == "path")
      s.path = v.is_null() || v.as_string(field).empty() ? s.path : v.as_string(field);
    else if (key == "max_pending")
      s.max_pending =
        v.as_uint(field) == 0 ? s.max_pending : read_count(v, field); // 0: the default, as in the original
    else if (key == "connect_timeout")
      s.connect_timeout = read_seconds(v, field);
    else if (key == "timeout")
      s.timeout = read_seconds(v, field);
    else
      source().warn_unknown(where, key);
  }
  warn_of_places(where, s);
  expect_endpoint(s, where, port);
  s.port = static_cast<std::uint16_t>(port);
  return s;
}

void builder::warn_of_places(const std::string& where, const service& s) {
  if (constexpr std::size_t served = 64; s.max_pending > served)
    config_.warnings.push_back(file_ + ": " + where +
                               "max_pending is over 64, the calls that a sub-agent serves at a time");
  else if (constexpr std::size_t streamed = 32; s.max_pending > streamed && s.path != rpc::default_rpc_path)
    config_.warnings.push_back(file_ + ": " + where +
                               "max_pending is over 32: where it streams, a sub-agent sends no more at a time");
}

void builder::add_services(const node& services) {
  for (const auto& [key, value] : services.members("services")) {
    std::string name{key};
    if (config_.services.contains(name))
      refuse_config("service " + name + " has already been defined");
    config_.services.emplace(name, read_service(name, value));
  }
}

stage builder::read_stage(const std::string& action_name, const node& value) {
  stage s;
  stage_has_timeout_ = false;
  const std::string where = "actions." + action_name + ".stages.";
  for (const auto& [written, v] : value.members(where.substr(0, where.size() - 1))) {
    const auto key = original_key(original_part::stage, written);
    const auto field = where + std::string{written};
    if (key == "service")
      s.service = v.as_string(field);
    else if (key == "method")
      s.method = v.as_string(field);
    else if (key == "args")
      for (const auto& [name, arg] : v.members(field))
        s.args[std::string{name}] = arg.as_string(field + "." + std::string{name});
    else if (key == "timeout")
      s.timeout = read_seconds(v, field), stage_has_timeout_ = true;
    else if (key == "idempotent")
      s.idempotent = v.as_bool(field);
    else
      source().warn_unknown(where, key);
  }
  if (s.method.empty())
    refuse_config(action_name + ": method cannot be empty");
  if (s.service.empty())
    refuse_config(action_name + ": service cannot be empty");
  return s;
}

void builder::add_actions(const node& actions) {
  for (const auto& [key, value] : actions.members("actions")) {
    std::string name{key};
    if (actions_.contains(name))
      refuse_config("action " + name + " has already been defined");
    const auto* kind = find_action_kind(name);
    if (!kind)
      refuse_config("action " + name + " is not a valid action");
    raw_action raw{kind, {}};
    for (const auto& [field, v] : value.members("actions." + name)) {
      if (original_key(original_part::action, field) != "stages") {
        source().warn_unknown("actions." + name + ".", field);
        continue;
      }
      for (const node& item : v.items("actions." + name + ".stages")) {
        auto s = read_stage(name, item);
        if (const auto wrong = takes_time(name) ? wrong_args(s.args) : std::string{}; !wrong.empty())
          refuse_config(std::string{"actions."}.append(name).append(".stages.args.").append(wrong));
        raw.stages.emplace_back(std::move(s), stage_has_timeout_);
      }
    }
    if (kind->type == action_type::stream && raw.stages.size() > 1)
      refuse_config(name + ": a stream has one stage only");
    actions_.emplace(std::move(name), std::move(raw));
  }
}

void builder::read_top_level(std::string_view key, const node& value) {
  if (key == "services")
    add_services(value);
  else if (key == "actions")
    add_actions(value);
  else if (key == "limits")
    read_limits(value, source(), config_.limit);
  else if (key == "http")
    read_http(value, source(), config_.http);
  else if (key == "debug")
    read_clients(key, value, source(), config_.debug), config_.debug_given = true;
  else if (key == "reports")
    read_clients(key, value, source(), config_.reports), config_.reports_given = true;
  else if (key == "log")
    read_log(value, source(), config_.log);
  else if (key == "drain_timeout")
    config_.drain_timeout = read_seconds(value, "drain_timeout");
  else if (key == "access")
    read_once(key, config_.access, read_access_options(value));
  else if (key == "host")
    read_once(key, config_.host, read_host(value, source()));
  else if (key == "tls")
    read_once(key, config_.tls, read_tls_options(value));
  else if (key == "cluster")
    read_once(key, config_.cluster, read_cluster_options(value));
  else if (is_name(key, "access") || is_name(key, "tls"))
    refuse_config(file_ + ": " + std::string{key} + ": the name of this key is in lower case");
  else if (key == "dbpath")
    config_.dbpath = value.is_null() || value.as_string("dbpath").empty() ? config_.dbpath : value.as_string("dbpath");
  else
    source().warn_unknown("", key);
}

void builder::add(const std::string& file, const std::string& text) {
  file_ = file;
  try {
    const auto document = rpc::json::document::parse(text);
    for (const auto& [key, value] : document.root().members("config"))
      read_top_level(original_key(original_part::config, key), value);
  } catch (const failure& e) {
    if (e.code() == errc::config_invalid)
      throw;
    refuse_config(file + ": " + e.message());
  }
}

config builder::finish() && {
  for (auto& [name, raw] : actions_) {
    auto built = std::make_shared<action>();
    built->kind = raw.kind;
    for (auto& [s, has_timeout] : raw.stages) {
      const auto service = config_.services.find(s.service);
      if (service == config_.services.end())
        refuse_config(name + " unable to find service " + s.service);
      if (!has_timeout)
        s.timeout = service->second.timeout.value_or(default_timeout(*raw.kind));
      built->stages.push_back(std::move(s));
    }
    config_.actions.emplace(name, std::move(built));
  }
  return std::move(config_);
}

} // namespace

action_ptr config::find_action(std::string_view name) const {
  const auto found = actions.find(name);
  return found == actions.end() ? nullptr : found->second;
}

std::size_t config::calls_at_a_time() const {
  return std::accumulate(services.begin(), services.end(), limit.image_jobs,
                         [](std::size_t sum, const auto& row) { return sum + row.second.max_pending; });
}

config parse_config(const std::vector<std::pair<std::string, std::string>>& files) {
  builder b;
  for (const auto& [name, text] : files)
    b.add(name, text);
  return std::move(b).finish();
}

config load_config(const std::filesystem::path& path) {
  return parse_config(read_config_texts(path));
}

} // namespace mistify::actors
