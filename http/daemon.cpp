#include "http/daemon.hpp"

#include "actors/config/check.hpp"
#include "actors/config/config_files.hpp"
#include "actors/system.hpp"
#include "http/access/gatekeeper.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/audit_trail.hpp"
#include "http/api/early_refusals.hpp"
#include "http/api/error_map.hpp"
#include "http/api/handlers/context.hpp"
#include "http/api/host_metrics.hpp"
#include "http/api/routes.hpp"
#include "http/api/running_config.hpp"
#include "http/api/service_probe.hpp"
#include "http/api/snapshot_names.hpp"
#include "http/api/views/guest_list.hpp"
#include "http/listening.hpp"
#include "http/process/fd_limit.hpp"
#include "http/process/forced_end.hpp"
#include "http/process/process_metrics.hpp"
#include "http/process/profiler.hpp"
#include "http/process/systemd.hpp"
#include "http/reload.hpp"
#include "http/server/server.hpp"
#include "rpc/base/log.hpp"
#include "rpc/base/start_check.hpp"
#include "rpc/http1/door.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <future>
#include <iostream>
#include <optional>
#include <sys/stat.h>

namespace mistify::http {

namespace {

/// Signals that end the daemon, and the one that has it read its config again, are taken by `sigwait`, on the main
/// thread, and by no other: so they are blocked before any thread is started. A client that hangs up must be an error of
/// a write, not the end of the process; so must a file that may not grow.
sigset_t take_over_signals() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN); // a limit on the size of files is as good as a full disk
  return ours;
}

/// Waits for one that ends the daemon. `on_hangup` is called for each that does not.
std::string wait_for_signal(const sigset_t& ours, const std::function<void()>& on_hangup) {
  for (;;) {
    int number = 0;
    sigwait(&ours, &number);
    if (number != SIGHUP)
      return number == SIGTERM ? "SIGTERM" : "SIGINT";
    on_hangup();
  }
}

std::size_t connections_of(const actors::config& config) {
  const auto wanted = config.http.max_connections, descriptors = raise_descriptor_limit();
  const auto fit = connections_that_fit(wanted, descriptors, config.calls_at_a_time());
  if (fit < wanted)
    rpc::log::warning("http.max_connections is " + std::to_string(wanted) + ", but the limit of " +
                      std::to_string(descriptors) + " open files leaves room for " + std::to_string(fit));
  return fit;
}

/// Clients of the unix socket that may administer the agent find room when others hold all connections. Without `access`
/// those are all that the socket's mode lets in.
client_standing standing_of(gatekeeper& gate, const peer_identity& peer) {
  const auto who = gate.identify(peer, {}, gatekeeper::clock::now());
  if (who->is_anonymous())
    return {"", peer.process && gate.rules()->is_open()};
  return {who->key, peer.process && who->may(actors::scope::admin)};
}

server_settings settings_of(const actors::config& config, gatekeeper& gate) {
  server_settings wanted;
  wanted.max_body = config.http.max_body;
  wanted.body_bound = [](const rpc::http1::request_head& head) { return largest_body(head.method, head.target); };
  wanted.max_connections = connections_of(config);
  wanted.max_downloads = config.http.max_downloads;
  wanted.max_live = config.http.max_event_readers;
  auto names = rpc::machine_names();
  names.insert(names.end(), config.http.names.begin(), config.http.names.end());
  wanted.door = std::make_shared<const rpc::door>(names);
  const auto limits = limits_of(config, wanted.max_connections);
  wanted.connections_of_one = limits.connections_of_one;
  constexpr std::size_t reserved_part = 16;
  wanted.reserved = wanted.max_connections / reserved_part;
  wanted.standing_of = [&gate](const peer_identity& peer) { return standing_of(gate, peer); };
  wanted.live_of_one = limits.live_of_one;
  wanted.socket_mode = socket_mode_of(config);
  wanted.waiting_bytes = limits.waiting_bytes;
  wanted.least_rate = limits.least_rate;
  return wanted;
}

error_answers errors() {
  return {[](const std::exception_ptr& thrown) { return error_answer(thrown); },
          [](int status, const std::string& message) { return error_answer(status, message); }};
}

bool actors_answer(actor_gateway& agents, std::chrono::milliseconds longest) {
  auto answer = std::make_shared<std::promise<bool>>();
  auto alive = answer->get_future();
  agents.alive(longest).sender()([answer](const rpc::outcome<bool>& outcome) {
    const auto* yes = std::get_if<bool>(&outcome);
    answer->set_value(yes && *yes);
  });
  return alive.get();
}

/// For the request that revokes the lease in the cluster.
constexpr std::chrono::seconds longest_resignation{2};

/// What an orderly stop may take beside the drain time, however little of that is left. Together with the default drain time less
/// than systemd gives the unit.
constexpr std::chrono::seconds rest_of_stop{10};

/// Reads go on while jobs drain; then whoever still waits is told, and downloads get what is left of the time.
void drain(actors::agent_system& agent, actor_gateway& waiting, server& front_door, std::chrono::milliseconds longest) {
  const auto begin = std::chrono::steady_clock::now();
  agent.resign(longest_resignation);
  if (!agent.drain(longest))
    rpc::log::warning("stages were still running when the drain time was over");
  waiting.close();
  const auto used = std::chrono::steady_clock::now() - begin;
  front_door.stop(std::chrono::duration_cast<std::chrono::milliseconds>(
    std::max<std::chrono::steady_clock::duration>(longest - used, std::chrono::seconds{1})));
}

/// When the snapshot was asked for that has the latest time of those that are kept.
std::chrono::sys_seconds latest_snapshot(const store::job_reader& jobs) {
  constexpr std::size_t enough = 10'000;
  rpc::timestamp latest{};
  for (const auto& job : jobs.latest(enough))
    if (job.action == "createSnapshot")
      latest = std::max(latest, job.queued_at);
  return std::chrono::time_point_cast<std::chrono::seconds>(latest);
}

/// Threads of the start: the log's, CAF's workers, clock and printer, the two actors that have one, those for sub-agents
/// (one waits for answers, one is kept), the actor_gateway's, the watchdog's, the one for a second signal, and a few for
/// work that needs one for a moment.
std::size_t threads_of_start(const actors::config& config, const server_settings& server) {
  constexpr std::size_t log = 1, caf = 4, actors = 2, sub_agents = 2, actor_gateway = 1, watchdog = 1, signals = 1,
                        spare = 3;
  const std::size_t cluster = config.cluster ? 1 : 0;
  return log + caf + actors + sub_agents + actor_gateway + watchdog + signals + spare + cluster + thread_count(server);
}

/// As `read_config`; the message of a failure has a line for each mistake of the files, as `--check-config` tells it.
actors::config require_config(const daemon_options& wanted, const actors::config_texts& files) try {
  return read_config(wanted, files);
} catch (const rpc::failure& e) {
  std::string all;
  for (const auto& one : actors::check_config(files).mistakes)
    all.append(all.empty() ? "" : "\nmistify-agent: ").append(one.text());
  throw rpc::failure{e.code(), all.empty() ? e.message() : all};
}

/// Beside the threads' stacks.
constexpr std::size_t memory_of_start = 64 << 20;

} // namespace

void run_daemon(const daemon_options& wanted) {
  profiler::start_sampling();
  const auto signals = take_over_signals();
  ::umask(077); // the database is nobody else's
  const auto files = actors::read_config_texts(wanted.config_file);
  actors::current_config settings{require_config(wanted, files)};
  const auto at_start = settings.get();
  const auto& config = *at_start;
  running_config known{files};
  std::optional<rpc::quiet_end> starting{std::in_place, "mistify-agent"};
  rpc::require_resources(threads_of_start(config, server_settings{}), memory_of_start);
  begin_log(wanted.log_level, config.log);
  for (const auto& warning : config.warnings)
    rpc::log::warning(warning);
  const auto sockets = choose_sockets(wanted, config);
  warn_if_unreachable(config, sockets);
  const auto rules = read_rules(config, files);
  rpc::metrics::registry measured;
  add_process_metrics(measured);
  actors::agent_system agent{settings, measured, [](std::string_view message) { rpc::log::warning(message); }};
  actor_gateway agents{agent};
  service_probe sub_agents{settings};
  gatekeeper gate{rules.rights, agent.tokens(), [&agents](store::note_token_use use) {
                    agents.change_token(std::move(use), nullptr).sender()([](auto) {});
                  }};
  audit_trail trail{[&agents](store::audit_ptr entry, std::function<void(bool)> on_done) {
    agents.note(std::move(entry)).sender()([on_done](const rpc::outcome<bool>& outcome) {
      on_done(std::holds_alternative<bool>(outcome));
    });
  }};
  guest_list list{agent.guests()};
  snapshot_names names{[&agent] { return latest_snapshot(agent.jobs()); }};
  context shared{
    .settings = settings,
    .config = known,
    .gate = gate,
    .guests = agent.guests(),
    .list = list,
    .jobs = agent.jobs(),
    .events = agent.events(),
    .tokens = agent.tokens(),
    .host = agent.host(),
    .agents = agents,
    .trail = trail,
    .sub_agents = sub_agents,
    .figures = agent.metrics_of_guests(),
    .names = names,
    .client_of = [&](const std::string& name) { return agent.client_of(name); },
    .measured = measured,
    .command_line = wanted.command_line,
    .cluster = [&] { return agent.cluster_status(); },
  };
  early_refusals refused{trail, gate};
  auto serving = settings_of(config, gate);
  serving.on_refusal = [&refused](const early_refusal& what) { refused.note(what); };
  serving.tls = rules.tls;
  server front_door{serving, dispatch(shared), errors()};
  add_server_metrics(measured, front_door, agent.guests());
  add_host_metrics(measured, agent.host());
  const auto where = open_sockets(front_door, sockets);
  forced_end last_resort{signals};
  front_door.start();
  {
    const systemd::watchdog fed{[&](std::chrono::milliseconds longest) { return actors_answer(agents, longest); }};
    starting.reset();
    systemd::tell_ready("answering on " + where);
    const reloadable_agent parts{wanted, settings, agent, gate, front_door, known, serving.max_connections};
    const auto on_hangup = [&] { reload(parts); };
    rpc::log::info("stopping", {{"signal", wait_for_signal(signals, on_hangup)}});
  }
  shared.draining = true;
  const auto drain_time = settings.get()->drain_timeout;
  last_resort.allow(drain_time + rest_of_stop);
  systemd::tell_stopping();
  drain(agent, agents, front_door, drain_time);
  sub_agents.stop();
  rpc::log::info("stopped");
}

int check_config(const daemon_options& wanted) {
  auto report = actors::check_config(wanted.config_file);
  if (report.mistakes.empty()) {
    try { // what the files mean together
      const auto files = actors::read_config_texts(wanted.config_file);
      const auto config = read_config(wanted, files);
      static_cast<void>(choose_sockets(wanted, config));
      static_cast<void>(read_rules(config, files)); // reads certificates and keys
    } catch (const std::exception& e) {
      report.mistakes.push_back({"", 0, e.what()});
    }
  }
  for (const auto* list : {&report.warnings, &report.mistakes})
    for (const auto& one : *list)
      std::cerr << "mistify-agent: " << one.text() << '\n';
  if (!report.mistakes.empty())
    return EXIT_FAILURE;
  std::cout << report.merged << '\n';
  return std::cout.flush() ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace mistify::http
