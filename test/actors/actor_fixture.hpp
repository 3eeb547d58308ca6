#pragma once

#include "actors/front.hpp"
#include "actors/inspect/inspector.hpp"
#include "actors/job_log.hpp"
#include "actors/runner/guest_runner.hpp"
#include "actors/runner/recovery.hpp"
#include "actors/service/service.hpp"
#include "rpc/base/log.hpp"
#include "rpc/model/codec.hpp"
#include "store/job_reader.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mistify::test {

using namespace std::chrono_literals;

/// A sub-agent played by the test: calls are queued until the test answers them.
class fake_caller final : public actors::caller {
public:
  void start(actors::service_call call, done when_done) override {
    calls.push_back({std::move(call), std::move(when_done)});
  }

  struct pending_call {
    actors::service_call call;
    done tell;
    void answer(std::string_view result) const { tell(rpc::json::document::parse(result)); }
    void answer(const rpc::failure& why) const { tell(why); }
  };

  /// Removes and returns the oldest call; there must be one.
  pending_call take() {
    REQUIRE_FALSE(calls.empty());
    auto first = std::move(calls.front());
    calls.pop_front();
    return first;
  }

  /// For the end of a test: a call that is out keeps the desk, and the desk this. What waits for its place begins then.
  void drop_all() {
    while (!calls.empty())
      take();
  }

  std::deque<pending_call> calls;
};

/// Actors on a scheduler and a clock that advance only when the test requests it.
class actor_fixture {
public:
  actor_fixture() : system{settings_}, scheduler{dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())} {
    rpc::log::set_level("fatal"); // tests provoke warnings
    rpc::log::set_audit(false);
  }

  ~actor_fixture() { end_actors(); }

  /// For the destructor of a fixture whose members the actors use: they end before the members do.
  void end_actors() {
    for (const auto& actor : actors_)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    scheduler.run();
  }

  void run() { scheduler.run(); }

  void advance(std::chrono::nanoseconds length) {
    scheduler.advance_time(length);
    scheduler.run();
  }

  /// Registers an actor to be ended with the test; otherwise the system would wait for it for ever.
  template <class Handle>
  Handle track(Handle actor) {
    actors_.push_back(caf::actor_cast<caf::actor>(actor));
    return actor;
  }

  /// Returns an actor's reply, once it has arrived.
  template <class T>
  struct seen_reply {
    std::optional<T> value;
    std::optional<rpc::failure> error;
    bool answered() const { return value || error; }
  };

  /// Sends a request; the returned object receives the reply while the scheduler runs.
  template <class T, class Handle, class... Ts>
  std::shared_ptr<seen_reply<T>> ask(const Handle& to, Ts... message) {
    auto result = std::make_shared<seen_reply<T>>();
    auto asker = system.spawn([=](caf::event_based_actor* self) {
      self->request(to, caf::infinite, message...)
        .then([=](const T& value) { result->value = value; },
              [=](const caf::error& e) { result->error = actors::to_failure(e); });
    });
    track(asker);
    run();
    return result;
  }

  struct testing_config : caf::actor_system_config {
    testing_config() {
      set("scheduler.policy", caf::atom("testing"));
      add_message_types<caf::id_block::mistify>();
    }
  };

  rpc::metrics::registry measured;       // outlives the actors
  actors::actor_registry actor_registry; // outlives the actors

private:
  testing_config settings_;
  std::vector<caf::actor> actors_;

public:
  caf::actor_system system;
  caf::scheduler::test_coordinator& scheduler;
};

/// A temporary folder with a database, all actors on it, and a sub-agent played by the test.
class agent_fixture : public actor_fixture {
public:
  explicit agent_fixture(actors::limits limit = {}, const std::string& more_config = "", std::size_t width = 4)
    : places_{width} {
    config = actors::parse_config({{"test", R"({"services":{"s":{"port":1}},"actions":{)" + more_config +
                                              R"("create":{"stages":[{"service":"s","method":"T.Create"}]},
      "delete":{"stages":[{"service":"s","method":"T.Delete"}]},
      "reboot":{"stages":[{"service":"s","method":"T.Stop"},{"service":"s","method":"T.Start"}]},
      "restart":{"stages":[{"service":"s","method":"T.Restart","idempotent":true}]},
      "suspend":{"stages":[]},
      "cpuMetrics":{"stages":[{"service":"s","method":"T.CPU"}]},
      "downloadSnapshot":{"stages":[{"service":"s","method":"T.Download"}]},
      "guestLog":{"stages":[{"service":"s","method":"T.Log"}]},
      "fetchImage":{"stages":[{"service":"s","method":"T.Fetch"}]}}})"}});
    limit_ = limit;
    start();
  }
  ~agent_fixture() {
    stop();
    std::filesystem::remove_all(folder_);
  }

  /// Simulates the death of the process: no actor is notified, and only committed data remains.
  void restart() {
    stop();
    start();
  }

  actors::action_ptr action(std::string_view name) const { return config.find_action(name); }

  /// As SIGHUP does.
  void set_limits(const actors::limits& now) { limit_ = now; }

  /// Adds a guest whose create is complete.
  void add_guest(const std::string& id) {
    rpc::guest guest;
    guest.id = id;
    guest.state = "create";
    auto created = ask<store::queued_job>(front, actors::create_atom_v, guest, job("create"));
    REQUIRE(created->value);
    answer_guest(id, "running");
  }

  actors::job_request job(std::string_view name, std::string digest = "d") const {
    return {action(name), "{}", "", std::move(digest)};
  }

  /// Answers the oldest call with that guest.
  void answer_guest(const std::string& id, const std::string& state) {
    answer(R"({"guest":{"id":")" + id + R"(","state":")" + state + R"("}})");
  }
  void answer(const std::string& result) {
    sub_agent->take().answer(result);
    run();
  }
  void answer_error(const std::string& text) {
    sub_agent->take().answer(rpc::failure{rpc::errc::sub_agent_failed, text});
    run();
  }

  rpc::job job_of(const std::string& id) const {
    auto found = store::job_reader{path()}.find(id);
    REQUIRE(found);
    return *found;
  }

  std::string path() const { return (folder_ / "agent.db").string(); }

  actors::runner_metrics work{measured};
  actors::info_places info{work.info_running};
  actors::commit_metrics commits{measured};
  actors::config config;
  store::guest_index* guests = nullptr;
  std::shared_ptr<fake_caller> sub_agent;
  std::shared_ptr<actors::places> gate; ///< of the service
  std::shared_ptr<actors::service_desk> desk;
  actors::service_actor service;
  actors::job_log_actor log;
  actors::front_actor front;
  actors::inspector_actor inspector;
  actors::job_log_settings log_settings;
  /// While true, commits fail as on a full disk.
  std::shared_ptr<bool> disk_full = std::make_shared<bool>(false);

private:
  void start() {
    guests_ = std::make_unique<store::guest_index>();
    guests = guests_.get();
    store::journal_settings wanted;
    wanted.path = path();
    wanted.now = [] { return rpc::timestamp{1s}; };
    wanted.before_commit = [full = disk_full] {
      if (*full)
        throw rpc::failure{rpc::errc::storage_failed, "database or disk is full"};
    };
    auto journal = std::make_shared<store::journal>(wanted, *guests_);
    auto unfinished = actors::recover_jobs(*journal, *guests_, config, work.jobs);
    sub_agent = std::make_shared<fake_caller>();
    gate = std::make_shared<actors::places>(places_);
    desk = actors::service_desk::open({"s", 1000, [this] { return system.clock().now(); }}, gate, sub_agent,
                                      actors::service_metrics{measured, "s"});
    service = track(system.spawn(actors::service_behavior, desk, &actor_registry));
    log = track(system.spawn(actors::job_log, std::move(journal), &commits, &actor_registry, log_settings));
    const auto context = std::make_shared<const actors::runner_context>(actors::runner_context{
      [this] { return limit_; }, log, guests, [this](std::string_view name) { return config.find_action(name); },
      [this](const std::string&) {
        return actors::service_handle{service, gate, desk};
      },
      work, info, actor_registry});
    front = track(system.spawn(
      actors::front,
      [this, context](actors::front_actor owner, const std::string& id) {
        return runners[id] = track(system.spawn(actors::runner_behavior, id, std::move(owner), context));
      },
      static_cast<const store::guest_index*>(guests), &actor_registry));
    inspector = track(system.spawn(actors::inspector_behavior, &actor_registry));
    caf::anon_send(front, actors::restore_atom_v, actors::jobs_restore{std::move(unfinished), {gate->hold_jobs()}});
    run();
  }

  void stop() {
    // The writer ends first: messages of dying runners must not reach the disk, as they would not from a killed
    // process.
    caf::anon_send_exit(log, caf::exit_reason::kill);
    run();
    log = nullptr;
    caf::anon_send_exit(front, caf::exit_reason::kill);
    for (auto& [id, runner] : std::exchange(runners, {}))
      caf::anon_send_exit(runner, caf::exit_reason::kill);
    caf::anon_send_exit(service, caf::exit_reason::kill);
    caf::anon_send_exit(inspector, caf::exit_reason::kill);
    run();
    front = nullptr;
    service = nullptr;
    inspector = nullptr;
    sub_agent->drop_all();
  }

  std::filesystem::path folder_ = make_folder();
  static std::filesystem::path make_folder() {
    auto name = (std::filesystem::temp_directory_path() / "mistify-actors-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    return name;
  }
  std::unique_ptr<store::guest_index> guests_;
  actors::limits limit_;
  std::size_t places_;

public:
  std::map<std::string, actors::runner_actor> runners;
};

} // namespace mistify::test
