#include "actors/system.hpp"

#include "actors/caf/actor_settings.hpp"
#include "actors/cluster/cluster.hpp"
#include "actors/database.hpp"
#include "actors/front.hpp"
#include "actors/guests/metrics_collector.hpp"
#include "actors/guests/power_keeper.hpp"
#include "actors/host/host_watch.hpp"
#include "actors/ids.hpp"
#include "actors/inspect/inspector.hpp"
#include "actors/job_log.hpp"
#include "actors/runner/direct_calls.hpp"
#include "actors/runner/guest_runner.hpp"
#include "actors/runner/recovery.hpp"
#include "actors/service/service_desk.hpp"
#include "actors/service/service_table.hpp"
#include "rpc/base/host_time.hpp"
#include "rpc/base/log.hpp"
#include "rpc/base/thread_pool.hpp"
#include "rpc/net/reactor.hpp"
#include "store/instance.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;

/// One thread for each slot. A slot is free when the call's answer has been delivered, shortly before its thread is;
/// until then the slot's next call waits. At least one thread always exists, so that answers are delivered even if no
/// thread can be created.
rpc::thread_pool make_threads(std::size_t places) {
  return rpc::thread_pool{"calls", std::max<std::size_t>(1, places), places, 1};
}

/// Waits until an actor has handled its mailbox and ended.
void end_actor(caf::actor_system& system, const caf::actor& who) {
  caf::scoped_actor me{system};
  me->monitor(who);
  caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  me->receive([](const caf::down_msg&) {}, caf::after(10s) >> [] {});
}

bool is_lack_of_threads(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::system_error&) {
    return true;
  } catch (...) {
    return false;
  }
}

} // namespace

struct agent_system::impl {
  /// Opens files first: no thread exists yet that a failure would have to stop.
  impl(current_config& current, const config& at_start, rpc::metrics::registry& measured,
       std::function<void(std::string_view)> warn)
    : settings{current}, measured_metrics{measured}, runners{measured}, info{runners.info_running}, commits{measured},
      host{at_start.host, at_start.find_action("hostInfo") != nullptr, board}, figures{at_start.limit.metric_devices},
      journal{open_journal(current, guests, events, tokens, board, host, std::move(warn))}, instance{store::instance_of(
                                                                                              at_start.dbpath)},
      jobs{std::make_unique<store::job_reader>(at_start.dbpath)}, threads{make_threads(at_start.calls_at_a_time())},
      system{std::make_unique<caf::actor_system>(actor_config)}, services{
                                                                   *system, {answers, threads}, measured, actors} {
    try {
      start(at_start);
    } catch (...) {
      // CAF counts a detached actor before it creates its thread: without the thread, waiting for its end would never
      // return.
      const bool no_thread = is_lack_of_threads(std::current_exception());
      stop();
      if (no_thread)
        static_cast<void>(system.release());
      throw;
    }
  }

  ~impl() { stop(); }

  void start(const config& at_start) {
    services.apply(at_start);
    if (at_start.cluster)
      host.set_id(at_start.cluster->id);
    log = system->spawn<caf::detached>(job_log, std::exchange(journal, nullptr), &commits, &actors,
                                       log_settings_of(at_start));
    auto context = std::make_shared<const runner_context>(
      runner_context{[this] { return settings.get()->limit; }, log, &guests,
                     [this](std::string_view name) { return settings.find_action(name); },
                     [this](const std::string& name) { return services.find(name); }, runners, info, actors});
    front = system->spawn(
      mistify::actors::front,
      [this, context](front_actor owner, const std::string& id) {
        return system->spawn(runner_behavior, id, std::move(owner), context);
      },
      &guests, &actors);
    direct.emplace(direct_calls::surroundings{guests, info, actors.open_direct_calls(), front,
                                              [this] { return settings.get()->limit.info; },
                                              [this](const std::string& name) { return services.find(name).desk; }});
    host_watcher = system->spawn(
      host_behavior, front, [this] { return settings.find_action("hostInfo"); }, &host, &actors);
    collector = system->spawn(metrics_behavior,
                              metrics_context{front, [this] { return settings.get(); }, &guests, &figures}, &actors);
    power = system->spawn(
      power_behavior,
      power_context{front, log, &guests, [this](std::string_view name) { return settings.find_action(name); }},
      &actors);
    power_news = send_power_news(events, power);
    inspector = system->spawn<caf::detached>(inspector_behavior, &actors);
    begin_recovery();
    if (at_start.cluster)
      join_cluster(*at_start.cluster);
  }

  /// The services come first: the actions of `next` name them.
  void apply(std::shared_ptr<const config> next) {
    services.apply(*next);
    const auto calls = services.calls_at_a_time() + next->limit.image_jobs;
    threads.grow(calls, calls);
    figures.set_most_devices(next->limit.metric_devices);
    host.set_asks(next->find_action("hostInfo") != nullptr);
    settings.replace(std::move(next));
  }

  /// Called after the recovery, so that the cluster gets the states that it left.
  void join_cluster(const cluster_options& options) {
    membership =
      std::make_unique<cluster::membership>(options, instance, measured_metrics, host, guests, events, *jobs);
    member = system->spawn(cluster::member_behavior, membership.get(), &actors);
  }

  job_log_settings log_settings_of(const config& at_start) {
    job_log_settings wanted;
    wanted.recover = [this](store::journal& in) { return recover_jobs(in, guests, *settings.get(), runners.jobs); };
    wanted.recovered = [this](std::vector<store::unfinished_job> going_on) {
      caf::anon_send(front, restore_atom_v, jobs_restore{std::move(going_on), services.hold_jobs()});
    };
    wanted.settle = [this](store::journal& in) {
      caf::anon_send(power, boot_atom_v, note_boot(in, guests, rpc::read_boot_id()));
    };
    wanted.least_free = [this, path = at_start.dbpath] {
      return least_free_at(path, settings.get()->limit.free_space);
    };
    wanted.measure_free = [path = at_start.dbpath] { return free_bytes_at(path); };
    return wanted;
  }

  /// Waits for the first attempt only: a database that refuses the recovery must not block readers.
  void begin_recovery() const {
    caf::scoped_actor me{*system};
    std::optional<rpc::failure> fault;
    me->request(log, caf::infinite, restore_atom_v) // no deadline: the agent cannot serve before
      .receive([](bool) {}, [&](const caf::error& e) { fault = to_failure(e); });
    if (fault)
      throw rpc::failure{*fault};
  }

  /// The log ends before the calls in flight are dropped: the runners' reactions must not reach the disk, where those
  /// jobs count as interrupted. The log ends after the readers, because the last connection to close removes the
  /// write-ahead log. Skips what was not started.
  void stop() {
    if (std::exchange(stopped, true))
      return;
    end(inspector);
    end(member);
    if (membership)
      membership->stop();
    end(host_watcher);
    end(collector);
    power_news.reset();
    end(power);
    jobs.reset();
    end(log);
    end(front);
    services.stop();
    answers.stop();
    threads.stop();
  }

  template <class Handle>
  void end(Handle& who) {
    if (who)
      end_actor(*system, caf::actor_cast<caf::actor>(who));
    who = nullptr;
  }

  // Members are destroyed in reverse order. Destroying threads before the actors that use them would hang, so `stop`
  // runs first.
  current_config& settings;
  rpc::metrics::registry& measured_metrics;
  runner_metrics runners;
  info_places info;
  commit_metrics commits;
  actor_settings actor_config;
  store::guest_index guests;
  store::event_feed events;
  store::token_index tokens;
  store::host_board board;
  host_state host;
  guest_metrics_cache figures;
  std::shared_ptr<store::journal> journal; // until it is moved to the log
  const std::string instance;              // of the database
  std::unique_ptr<store::job_reader> jobs;
  rpc::thread_pool threads;
  rpc::reactor answers; // destroyed before the pool
  actor_registry actors;
  std::unique_ptr<caf::actor_system> system;
  service_table services;
  job_log_actor log;
  front_actor front;
  std::optional<direct_calls> direct; // from the start on
  power_actor power;
  store::event_feed::listener power_news;
  host_actor host_watcher;
  metrics_actor collector;
  inspector_actor inspector;
  std::unique_ptr<cluster::membership> membership; // null: in no cluster
  cluster_actor member;
  bool stopped = false;
};

agent_system::agent_system(current_config& settings, rpc::metrics::registry& measured,
                           std::function<void(std::string_view)> warn)
  : impl_{std::make_unique<impl>(settings, *settings.get(), measured, std::move(warn))} {}

agent_system::~agent_system() {
  drain(0ms);
}

void agent_system::apply(std::shared_ptr<const config> next) {
  impl_->apply(std::move(next));
}

bool agent_system::drain(std::chrono::milliseconds longest) {
  bool all = false;
  caf::anon_send(impl_->power, drain_atom_v);
  caf::anon_send(impl_->collector, drain_atom_v);
  caf::scoped_actor me{*impl_->system};
  me->request(impl_->front, caf::duration{longest}, drain_atom_v)
    .receive([&](bool) { all = true; }, [](const caf::error&) {});
  return all;
}

caf::actor_system& agent_system::actors() {
  return *impl_->system;
}
const direct_calls& agent_system::direct() const {
  return *impl_->direct;
}
const front_actor& agent_system::front() const {
  return impl_->front;
}
const job_log_actor& agent_system::log() const {
  return impl_->log;
}
const inspector_actor& agent_system::inspector() const {
  return impl_->inspector;
}
std::optional<std::chrono::steady_clock::duration> agent_system::commit_lasts() const {
  return impl_->commits.lasts(std::chrono::steady_clock::now());
}
const store::guest_index& agent_system::guests() const {
  return impl_->guests;
}
const store::job_reader& agent_system::jobs() const {
  return *impl_->jobs;
}
const store::token_index& agent_system::tokens() const {
  return impl_->tokens;
}

std::optional<cluster::status::view> agent_system::cluster_status() const {
  return impl_->membership ? std::optional{impl_->membership->read()} : std::nullopt;
}
const cluster_actor& agent_system::cluster_member() const {
  return impl_->member;
}
void agent_system::resign(std::chrono::milliseconds longest) {
  if (impl_->membership)
    impl_->membership->resign(longest);
}
const host_state& agent_system::host() const {
  return impl_->host;
}
const host_actor& agent_system::host_watcher() const {
  return impl_->host_watcher;
}
const guest_metrics_cache& agent_system::metrics_of_guests() const {
  return impl_->figures;
}
const metrics_actor& agent_system::metrics_collector() const {
  return impl_->collector;
}

store::event_feed& agent_system::events() {
  return impl_->events;
}
std::shared_ptr<rpc::client> agent_system::client_of(const std::string& service) {
  return impl_->services.client_of(service);
}

} // namespace mistify::actors
