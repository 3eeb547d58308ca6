#pragma once

#include "actors/config/access.hpp"
#include "actors/config/cluster.hpp"
#include "rpc/base/error.hpp"
#include "rpc/model/model.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::actors {

/// How an action is run: `info` responds directly, `async` queues a job, `stream` passes bytes through.
enum class action_type : std::uint8_t { info, async, stream };

/// The subject of an action, which decides the parameters of its stages.
enum class action_subject : std::uint8_t {
  guest,    ///< `{"guest","action","args"}`; the returned guest is stored
  metrics,  ///< `{"guest","type","args"}`
  image,    ///< the image request of the client
  snapshot, ///< the snapshot request of the client
  host,     ///< `{"args"}`; the result is an array of all stages' results
};

/// The effect of a completed action on the guest's record.
/// `changes`: the guest's record follows the client's wish, which the stages are sent as `params`.
/// `adopts`: as `creates`, of a machine that is there; if the action fails, the record is removed.
enum class record_effect : std::uint8_t { none, creates, deletes, changes, adopts };

/// Whether an accepted action sets the guest's `wanted`, and to what.
enum class power_wish : std::uint8_t { none, on, off };

/// One row of the table of actions that a config may define.
struct action_kind {
  std::string_view name;
  action_type type;
  action_subject subject;
  record_effect effect = record_effect::none;
  power_wish wish = power_wish::none;
};

/// Every row of the table.
std::span<const action_kind> action_kinds() noexcept;

/// Returns the row of a name; null if there is no such action.
const action_kind* find_action_kind(std::string_view name) noexcept;

/// One call of a pipeline.
struct stage {
  std::string service, method; ///< method: "Libvirt.Reboot"
  rpc::metadata_map args;
  /// Time-out of the answer; zero: no bound. Default: the service's, otherwise that of the action's type.
  std::chrono::milliseconds timeout{0};
  bool idempotent = false; ///< may be sent again after a crash
};

/// A configured pipeline.
struct action {
  const action_kind* kind = nullptr;
  std::vector<stage> stages;
};
using action_ptr = std::shared_ptr<const action>;

/// A sub-agent's endpoint: a port on 127.0.0.1, or a unix socket.
struct service {
  std::string name;
  std::uint16_t port = 0;
  std::string socket;        ///< path; empty: `port` counts
  std::optional<uid_t> user; ///< whom its sub-agent runs as; unset: the agent's own user, or root
  std::string path;
  std::size_t max_pending = 4; ///< calls in flight; the rest waits
  std::chrono::milliseconds connect_timeout{2'000};
  std::optional<std::chrono::milliseconds> timeout; ///< of an answer, for stages without one
};

/// Bounds of queues and sizes. etc/man/mistify-agent.json.5.scd documents what happens beyond each.
struct limits {
  std::size_t info = 100;           ///< synchronous calls of one runner at a time
  std::size_t info_waiting = 1000;  ///< queued synchronous calls; then 429
  std::size_t stream = 5;           ///< downloads of one runner at a time
  std::size_t stream_waiting = 100; ///< queued downloads; then 429
  std::size_t queue = 1000;         ///< jobs of one runner that have not started; then 429
  std::size_t jobs = 1000;          ///< ended jobs kept in the log
  std::size_t jobs_most = 100'000;  ///< ended jobs kept at most, however young
  std::size_t job_minutes = 10;     ///< how long an ended job is kept however many end, in minutes
  std::size_t events = 10'000;      ///< events kept for /events readers that reconnect
  std::size_t retries = 10;         ///< how often a stage may request to be run again

  std::size_t guests = 20'000;               ///< living guests; then 429
  std::size_t guest_bytes = 64 * 1024;       ///< a guest's document as stored, in bytes; then 413
  std::size_t metadata_bytes = 256 * 1024;   ///< the hypervisor's metadata, in bytes; then 413
  std::size_t nesting = 64;                  ///< levels of a JSON input; then 400
  std::size_t open_image_jobs = 100;         ///< image jobs that have not ended; then 429
  std::size_t image_jobs = 4;                ///< image jobs that run at a time; the rest waits
  std::size_t requests_per_second = 0;       ///< of one address; 0: no bound; then 429
  std::size_t connections_of_one = 0;        ///< connections of one address; 0: half of `http.max_connections`
  std::size_t event_readers_of_one = 8;      ///< readers of /events of one address; then 429
  std::size_t waiting_bytes = 256ull << 20U; ///< bytes waiting for clients; beyond it the slowest reader is dropped
  std::size_t least_rate = 1024;             ///< bytes a second over 30 s that a client reads while bytes wait
  std::size_t message_bytes = 4096;          ///< a job's `Message`, in bytes; the rest is cut
  std::size_t metric_devices = 256;          ///< devices in a response of metrics; the rest is omitted
  std::size_t free_space = 64ull << 20U;     ///< bytes free at `dbpath` below which writes are refused with 507
};

/// The `http` object of the config.
struct http_options {
  bool get_actions = true; ///< GET /guests/{id}/{action} runs the action, as in the original's README
  std::size_t max_body = 1024 * 1024;
  std::size_t max_connections = 4096;
  std::size_t max_downloads = 64;
  std::size_t max_event_readers = 64;
  std::vector<std::string> names;  ///< further names that `Host` may have; "*": any
  std::vector<std::string> listen; ///< "unix:PATH", "HOST:PORT", "tcp:127.0.0.1:PORT" (never TLS)
};

/// The `host` object of the config: how much of the host guests may have. Sizes in MB.
struct host_options {
  double cpu_ratio = 4;    ///< processors of guests for each of the host
  double memory_ratio = 1; ///< memory of guests for each MB of the host
  std::uint64_t reserve_memory = 0, reserve_disk = 0;
};

/// The `log` object of the config. SIGHUP reads it again.
struct log_options {
  std::string level; ///< empty: not set
  bool audit = true; ///< a line for every change
};

/// Which clients may use a guarded route.
enum class clients : std::uint8_t { off, loopback, any };

/// The checked content of the config files; constant after loading.
struct config {
  std::map<std::string, action_ptr, std::less<>> actions;
  std::map<std::string, service, std::less<>> services;
  std::string dbpath = "/var/lib/mistify-agent/agent.db";
  std::string import_from; ///< from the command line: path of the original's database to import, or empty
  limits limit;
  http_options http;
  clients debug = clients::loopback;               ///< who may use the debug routes
  clients reports = clients::loopback;             ///< who may report a guest's state
  bool debug_given = false, reports_given = false; ///< whether the files say so
  log_options log;
  std::optional<host_options> host;                ///< null: no admission by the host's room
  std::optional<access_options> access;            ///< null: every client may do everything
  std::optional<tls_options> tls;                  ///< null: TCP listeners are plain
  std::chrono::milliseconds drain_timeout{30'000}; ///< SIGTERM: how long running stages may continue
  std::vector<std::string> warnings;               ///< unknown keys, for the log
  std::optional<cluster_options> cluster;          ///< null: the host is in none

  /// Returns the pipeline of an action; null if it is not configured.
  action_ptr find_action(std::string_view name) const;

  /// The maximum number of concurrent calls and downloads of all services, including image jobs, which need no slot.
  std::size_t calls_at_a_time() const;
};

/// Reads a file, or every `*.json` of a folder in name order, except for names that begin with a dot. Throws
/// `failure{config_invalid}` with one clear line.
config load_config(const std::filesystem::path& path);

/// Reads config texts as if they were files of those names, in that order.
config parse_config(const std::vector<std::pair<std::string, std::string>>& files);

} // namespace mistify::actors
