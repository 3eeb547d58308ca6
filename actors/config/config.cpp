#include "actors/config/config.hpp"

#include "actors/config/check.hpp"
#include "actors/config/waiting_actions.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/log.hpp"
#include "rpc/base/unique_fd.hpp"
#include "rpc/client/client.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fcntl.h>
#include <iterator>
#include <limits>
#include <numeric>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
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

/// Names in the config may contain line ends; the error message is one line.
[[noreturn]] void refuse(std::string why) {
  std::replace_if(why.begin(), why.end(), rpc::text::is_control, '?');
  throw failure{errc::config_invalid, std::move(why)};
}

/// Reads seconds, with fractions as in `"timeout": 2.5`.
milliseconds read_seconds(const node& value, const std::string& field) {
  const double seconds = value.as_double(field);
  constexpr double a_year = 366.0 * 24 * 3600;
  if (!(seconds >= 0 && seconds <= a_year))
    refuse(field + ": must be a number of seconds, 0 or more");
  return milliseconds{std::llround(seconds * 1000)};
}

std::size_t read_count(const node& value, const std::string& field) {
  const auto count = value.as_uint(field);
  if (count == 0 || count > std::numeric_limits<std::int32_t>::max())
    refuse(field + ": must be from 1 to 2147483647");
  return count;
}

/// Like `read_count`, for bounds for which 0 means no bound, or the default.
std::size_t read_count_or_zero(const node& value, const std::string& field) {
  return value.as_uint(field) == 0 ? 0 : read_count(value, field);
}

/// A path that fits into a socket's address.
std::string read_socket(const node& value, const std::string& field) {
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  auto path = value.as_string(field);
  if (!path.starts_with('/') || path.size() > longest)
    refuse(field + ": must be an absolute path of at most " + std::to_string(longest) + " bytes");
  return path;
}

uid_t read_user(const node& value, const std::string& field) {
  const auto name = value.as_string(field);
  const auto id = find_user(name);
  if (!id)
    refuse(field + ": there is no user \"" + name + '"');
  return *id;
}

/// Compares without case: keys that restrict access are refused in any spelling.
bool is_name(std::string_view key, std::string_view name) {
  return rpc::text::equal_ignoring_case(key, name);
}

/// True for limits that 0 disables.
bool may_be_off(std::string_view limit) {
  constexpr std::array off{"requests_per_second", "connections_of_one", "least_rate", "free_space", "job_minutes"};
  return std::find(off.begin(), off.end(), limit) != off.end();
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
  stage read_stage(const std::string& action_name, const node& value);
  void read_limits(const node& value);
  void read_http(const node& value);
  void read_log(const node& value);
  host_options read_host(const node& value);
  void read_access(std::string_view name, const node& value, clients& allowed);
  void read_top_level(std::string_view key, const node& value);
  /// Of two files that both say who may do what, neither can be meant to lose.
  template <class Options>
  void read_once(std::string_view key, std::optional<Options>& to, Options options) const {
    if (to)
      refuse(file_ + ": " + std::string{key} + " has already been defined");
    to = std::move(options);
  }
  void warn_unknown(const std::string& where, std::string_view key) {
    config_.warnings.push_back(file_ + ": unknown key " + where + std::string{key});
  }

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
  for (const auto& [key, v] : value.members("services." + name)) {
    const auto field = where + std::string{key};
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
      warn_unknown(where, key);
  }
  if (constexpr std::size_t served = 64; s.max_pending > served)
    config_.warnings.push_back(file_ + ": " + where +
                               "max_pending is over 64, the calls that a sub-agent serves at a time");
  else if (constexpr std::size_t streamed = 32; s.max_pending > streamed && s.path != rpc::default_rpc_path)
    config_.warnings.push_back(file_ + ": " + where +
                               "max_pending is over 32: where it streams, a sub-agent sends no more at a time");
  if (port != 0 && !s.socket.empty())
    refuse("service " + name + " has both a port and a socket");
  if (port == 0 && s.socket.empty())
    refuse("service " + name + " has no port");
  if (s.user && s.socket.empty())
    refuse(where + "user: needs a socket, of which the kernel says whose it is");
  if (port > std::numeric_limits<std::uint16_t>::max())
    refuse(where + "port: must be from 1 to 65535");
  const auto breaks_request_line = [](char c) { return c == ' ' || rpc::text::is_control(c); };
  if (s.path.front() != '/' || std::any_of(s.path.begin(), s.path.end(), breaks_request_line))
    refuse(where + "path: must begin with / and hold no spaces");
  s.port = static_cast<std::uint16_t>(port);
  return s;
}

void builder::add_services(const node& services) {
  for (const auto& [key, value] : services.members("services")) {
    std::string name{key};
    if (config_.services.contains(name))
      refuse("service " + name + " has already been defined");
    config_.services.emplace(name, read_service(name, value));
  }
}

stage builder::read_stage(const std::string& action_name, const node& value) {
  stage s;
  stage_has_timeout_ = false;
  const std::string where = "actions." + action_name + ".stages.";
  for (const auto& [key, v] : value.members(where.substr(0, where.size() - 1))) {
    const auto field = where + std::string{key};
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
      warn_unknown(where, key);
  }
  if (s.method.empty())
    refuse(action_name + ": method cannot be empty");
  if (s.service.empty())
    refuse(action_name + ": service cannot be empty");
  return s;
}

void builder::add_actions(const node& actions) {
  for (const auto& [key, value] : actions.members("actions")) {
    std::string name{key};
    if (actions_.contains(name))
      refuse("action " + name + " has already been defined");
    const auto* kind = find_action_kind(name);
    if (!kind)
      refuse("action " + name + " is not a valid action");
    raw_action raw{kind, {}};
    for (const auto& [field, v] : value.members("actions." + name)) {
      if (field != "stages") {
        warn_unknown("actions." + name + ".", field);
        continue;
      }
      for (const node& item : v.items("actions." + name + ".stages")) {
        auto s = read_stage(name, item);
        if (const auto wrong = takes_time(name) ? wrong_args(s.args) : std::string{}; !wrong.empty())
          refuse(std::string{"actions."}.append(name).append(".stages.args.").append(wrong));
        raw.stages.emplace_back(std::move(s), stage_has_timeout_);
      }
    }
    if (kind->type == action_type::stream && raw.stages.size() > 1)
      refuse(name + ": a stream has one stage only");
    actions_.emplace(std::move(name), std::move(raw));
  }
}

void builder::read_limits(const node& value) {
  auto& limit = config_.limit;
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
      warn_unknown("limits.", key);
  }
}

void builder::read_http(const node& value) {
  for (const auto& [key, v] : value.members("http")) {
    const auto field = "http." + std::string{key};
    if (key == "get_actions")
      config_.http.get_actions = v.as_bool(field);
    else if (key == "max_body")
      config_.http.max_body = read_count(v, field);
    else if (key == "max_connections")
      config_.http.max_connections = read_count(v, field);
    else if (key == "max_downloads")
      config_.http.max_downloads = read_count(v, field);
    else if (key == "max_event_readers")
      config_.http.max_event_readers = read_count(v, field);
    else if (key == "listen")
      for (const node& address : v.items(field))
        config_.http.listen.push_back(address.as_string(field));
    else if (is_name(key, "listen"))
      refuse(file_ + ": " + field + ": the name of this key is http.listen");
    else if (key == "names")
      for (const node& name : v.items(field))
        config_.http.names.push_back(name.as_string(field));
    else
      warn_unknown("http.", key);
  }
}

void builder::read_access(std::string_view name, const node& value, clients& allowed) {
  const auto field = std::string{name} + ".access";
  for (const auto& [key, v] : value.members(name)) {
    if (key != "access") {
      warn_unknown(std::string{name} + '.', key);
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
      refuse(field + ": must be off, loopback or any");
  }
}

void builder::read_log(const node& value) {
  for (const auto& [key, v] : value.members("log")) {
    if (key == "level")
      config_.log.level = v.as_string("log.level");
    else if (key == "audit")
      config_.log.audit = v.as_bool("log.audit");
    else
      warn_unknown("log.", key);
  }
  if (const auto& level = config_.log.level; !level.empty() && !rpc::log::is_level(level))
    refuse("log.level: must be debug, info, warning, error, critical or fatal");
}

/// Reads a factor; bounded so that products with sizes fit into 64 bits.
double read_ratio(const node& value, const std::string& field) {
  const double ratio = value.as_double(field);
  if (!(ratio >= 0.01 && ratio <= 1000))
    refuse(field + ": must be from 0.01 to 1000");
  return ratio;
}

host_options builder::read_host(const node& value) {
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
      warn_unknown("host.", key);
  }
  return options;
}

void builder::read_top_level(std::string_view key, const node& value) {
  if (key == "services")
    add_services(value);
  else if (key == "actions")
    add_actions(value);
  else if (key == "limits")
    read_limits(value);
  else if (key == "http")
    read_http(value);
  else if (key == "debug")
    read_access(key, value, config_.debug), config_.debug_given = true;
  else if (key == "reports")
    read_access(key, value, config_.reports), config_.reports_given = true;
  else if (key == "log")
    read_log(value);
  else if (key == "drain_timeout")
    config_.drain_timeout = read_seconds(value, "drain_timeout");
  else if (key == "access")
    read_once(key, config_.access, read_access_options(value));
  else if (key == "host")
    read_once(key, config_.host, read_host(value));
  else if (key == "tls")
    read_once(key, config_.tls, read_tls_options(value));
  else if (key == "cluster")
    read_once(key, config_.cluster, read_cluster_options(value));
  else if (is_name(key, "access") || is_name(key, "tls"))
    refuse(file_ + ": " + std::string{key} + ": the name of this key is in lower case");
  else if (key == "dbpath")
    config_.dbpath = value.is_null() || value.as_string("dbpath").empty() ? config_.dbpath : value.as_string("dbpath");
  else
    warn_unknown("", key);
}

void builder::add(const std::string& file, const std::string& text) {
  file_ = file;
  try {
    const auto document = rpc::json::document::parse(text);
    for (const auto& [key, value] : document.root().members("config"))
      read_top_level(key, value);
  } catch (const failure& e) {
    if (e.code() == errc::config_invalid)
      throw;
    refuse(file + ": " + e.message());
  }
}

config builder::finish() && {
  for (auto& [name, raw] : actions_) {
    auto built = std::make_shared<action>();
    built->kind = raw.kind;
    for (auto& [s, has_timeout] : raw.stages) {
      const auto service = config_.services.find(s.service);
      if (service == config_.services.end())
        refuse(name + " unable to find service " + s.service);
      if (!has_timeout)
        s.timeout = service->second.timeout.value_or(default_timeout(*raw.kind));
      built->stages.push_back(std::move(s));
    }
    config_.actions.emplace(name, std::move(built));
  }
  return std::move(config_);
}

/// What lies in a folder has to be a regular file: a pipe there would hold up the start for ever. A file that is named may be
/// /dev/stdin.
std::string read_file(const std::filesystem::path& path, bool in_folder) {
  const rpc::unique_fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | (in_folder ? O_NONBLOCK : 0))};
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0)
    refuse(path.string() + ": " + std::generic_category().message(errno));
  if (S_ISDIR(facts.st_mode))
    refuse(path.string() + ": is a directory");
  if (in_folder && !S_ISREG(facts.st_mode))
    refuse(path.string() + ": is no regular file");
  std::string text;
  std::array<char, 16 * 1024> bytes;
  for (ssize_t n = 0; (n = ::read(fd.get(), bytes.data(), bytes.size())) != 0;)
    if (n > 0)
      text.append(bytes.data(), static_cast<std::size_t>(n));
    else if (errno != EINTR)
      refuse(path.string() + ": cannot be read");
  return text;
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error))
    return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{path, error})
    // Hidden files belong to other programs, such as editors' locks and file systems' metadata.
    if (entry.path().extension() == ".json" && !entry.path().filename().string().starts_with('.'))
      files.push_back(entry.path());
  if (error)
    refuse(path.string() + ": " + error.message());
  if (files.empty())
    refuse(path.string() + ": the directory holds no *.json file");
  std::sort(files.begin(), files.end());
  return files;
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

config_texts read_config_texts(const std::filesystem::path& path) {
  config_texts texts;
  for (const auto& file : files_of(path))
    texts.emplace_back(file.string(), read_file(file, file != path));
  return texts;
}

config load_config(const std::filesystem::path& path) {
  return parse_config(read_config_texts(path));
}

} // namespace mistify::actors
