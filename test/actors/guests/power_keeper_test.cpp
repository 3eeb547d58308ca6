#include "actors/guests/power_keeper.hpp"
#include "test/actors/actor_fixture.hpp"

using namespace mistify;
using namespace mistify::test;
using store::event_type;
using store::power_turn;

namespace {

const std::string one_id = "11111111-1111-1111-1111-111111111111", other_id = "22222222-2222-2222-2222-222222222222";

/// A keeper beside the actors that queue and run its starts. The test tells it of events.
class keeper_fixture : public agent_fixture {
public:
  keeper_fixture()
    : agent_fixture{{},
                    R"("start":{"stages":[{"service":"s","method":"T.Run"}]},
                       "poweroff":{"stages":[{"service":"s","method":"T.Off"}]},)"} {}
  ~keeper_fixture() { end_actors(); }

  void spawn(actors::boot_plan plan = {}) {
    keeper = track(system.spawn(
      actors::power_behavior,
      actors::power_context{front, log, guests, [this](std::string_view name) { return config.find_action(name); }},
      &actor_registry));
    caf::anon_send(keeper, actors::boot_atom_v, std::move(plan));
    run();
  }

  /// Adds a guest that runs and is wished on.
  void add_wished(const std::string& id, const std::string& restart) {
    rpc::guest guest;
    guest.id = id;
    guest.state = "create";
    guest.extra["power"] = R"({"restart":")" + restart + "\"}";
    REQUIRE(ask<store::queued_job>(front, actors::create_atom_v, guest, job("create"))->value);
    answer_guest(id, "running");
  }
  void report(const std::string& id, const std::string& state, const std::string& reason = {}) {
    REQUIRE(ask<store::reported_state>(log, actors::report_atom_v, id, state, reason, std::string{}, store::audit_ptr{})
              ->value);
  }
  void tell_change(const std::string& id, const std::string& state, power_turn turn) {
    store::event what;
    what.type = event_type::guest_changed;
    what.guest = id;
    what.text = state;
    what.number = static_cast<std::int64_t>(turn);
    caf::anon_send(keeper, actors::report_atom_v,
                   actors::power_news{{std::make_shared<const store::event>(std::move(what))}});
    run();
  }
  void tell_failed_start(const std::string& id, const std::string& job, const std::string& code) {
    store::event what;
    what.type = event_type::job_ended;
    what.guest = id;
    what.job = job;
    what.action = "start";
    what.number = static_cast<std::int64_t>(rpc::job_status::error);
    what.reason = code;
    caf::anon_send(keeper, actors::report_atom_v,
                   actors::power_news{{std::make_shared<const store::event>(std::move(what))}});
    run();
  }
  /// The guests of the calls that are out.
  std::vector<std::string> called() const {
    std::vector<std::string> all;
    for (const auto& one : sub_agent->calls)
      all.push_back(one.call.method + ' ' + one.call.guest);
    return all;
  }

  actors::power_actor keeper;
};

using texts = std::vector<std::string>;

/// In a keeper's place: counts the events that it is told of.
actors::power_actor::behavior_type counting_keeper(actors::power_actor::pointer, std::size_t* heard) {
  return {
    [](actors::boot_atom, const actors::boot_plan&) {},
    [heard](actors::report_atom, const actors::power_news& news) { *heard += news.events.size(); },
    [](actors::resume_atom, std::uint64_t) {},
    [](actors::drain_atom) {},
    [](actors::status_atom, bool) { return actors::actor_status{}; },
  };
}

} // namespace

TEST_CASE_METHOD(keeper_fixture, "a guest that is to run always and went off while no keeper looked is started") {
  add_wished(one_id, "always");
  add_wished(other_id, "on-crash");
  report(one_id, "shutoff", "shutdown");
  report(other_id, "shutoff", "shutdown");
  spawn();
  CHECK(called().empty());
  advance(1s);
  CHECK(called() == texts{"T.Run " + one_id});
}

TEST_CASE_METHOD(keeper_fixture,
                 "a guest that a client powers off while it waits in the boot stays off, the next one starts") {
  add_wished(one_id, "never");
  add_wished(other_id, "never");
  log_settings.settle = [](store::journal& in) {
    in.begin();
    in.note_boot("boot", {one_id, other_id});
    in.commit();
  };
  restart();
  REQUIRE(*ask<bool>(log, actors::restore_atom_v)->value);
  REQUIRE(ask<store::queued_job>(front, actors::queue_atom_v, one_id, job("poweroff"))->value);
  answer_guest(one_id, "shutoff");
  spawn({{{one_id}, {other_id}}});
  for (int i = 0; i < 3; ++i)
    advance(1s);
  CHECK(called() == texts{"T.Run " + other_id});
  CHECK(rpc::decode_guest(guests->find(one_id)->doc).wanted == "off");
}

TEST_CASE_METHOD(keeper_fixture,
                 "only a guest that goes off is restarted, not one whose record changes while it is off") {
  spawn();
  add_wished(one_id, "on-crash");
  report(one_id, "crashed", "panic");
  tell_change(one_id, "crashed", power_turn::none);
  advance(1s);
  CHECK(called().empty());
  tell_change(one_id, "crashed", power_turn::went_off);
  advance(1s);
  CHECK(called() == texts{"T.Run " + one_id});
}

TEST_CASE_METHOD(keeper_fixture, "a guest that is wished off before its restart is due is not started") {
  spawn();
  add_wished(one_id, "on-crash");
  report(one_id, "crashed", "panic");
  tell_change(one_id, "crashed", power_turn::went_off);
  REQUIRE(ask<store::queued_job>(front, actors::queue_atom_v, one_id, job("poweroff"))->value);
  answer_guest(one_id, "shutoff");
  advance(2s);
  CHECK(called().empty());
}

TEST_CASE_METHOD(keeper_fixture,
                 "a guest that its rules do not want back any more when its restart is due is not started") {
  spawn();
  add_wished(one_id, "on-crash");
  report(one_id, "crashed", "panic");
  tell_change(one_id, "crashed", power_turn::went_off);
  report(one_id, "shutoff", "shutdown"); // which `on-crash` leaves alone
  advance(2s);
  CHECK(called().empty());
}

TEST_CASE_METHOD(keeper_fixture, "a start of the boot whose sub-agent cannot be reached is made again") {
  add_wished(one_id, "never");
  log_settings.settle = [](store::journal& in) {
    in.begin();
    in.note_boot("boot", {one_id});
    in.commit();
  };
  restart();
  REQUIRE(*ask<bool>(log, actors::restore_atom_v)->value);
  report(one_id, "shutoff", "shutdown");
  spawn({{{one_id}}});
  advance(0s);
  REQUIRE(called() == texts{"T.Run " + one_id});
  const auto out = sub_agent->take();
  out.answer(rpc::failure{rpc::errc::unavailable, "no connection"});
  run();
  tell_failed_start(one_id, out.call.job, "unreachable");
  advance(1s);
  CHECK(called() == texts{"T.Run " + one_id});
}

TEST_CASE_METHOD(keeper_fixture, "a container that crashes is restarted by on-crash, not one that exits by itself") {
  spawn();
  add_wished(one_id, "on-crash");
  report(one_id, "stopped", "shutdown");
  tell_change(one_id, "stopped", power_turn::went_off);
  advance(1s);
  CHECK(called().empty());
  add_wished(other_id, "on-crash");
  for (const auto* why : {"crashed:1", "killed", "oom"}) {
    INFO(why);
    report(other_id, "running");
    report(other_id, "stopped", why);
    tell_change(other_id, "stopped", power_turn::went_off);
    advance(5s); // the pauses grow
    CHECK(called() == texts{"T.Run " + other_id});
    answer_guest(other_id, "running");
  }
}

TEST_CASE("the keeper is told of the jobs of a client whose identity is called agent, not of its own") {
  actor_fixture actors_of_test;
  store::event_feed feed;
  std::size_t heard = 0;
  const auto keeper = actors_of_test.track(actors_of_test.system.spawn(counting_keeper, &heard));
  const auto listening = actors::send_power_news(feed, keeper);
  std::vector<store::event> news(2);
  for (std::size_t i = 0; i < news.size(); ++i) {
    news[i].id = static_cast<std::int64_t>(i) + 1;
    news[i].type = event_type::job_queued;
    news[i].action = "start";
    news[i].text = "agent";
  }
  news[1].number = static_cast<std::int64_t>(store::own_start::restart);
  feed.publish(std::move(news), nullptr);
  actors_of_test.run();
  CHECK(heard == 1);
}

TEST_CASE("the keeper is told of what may concern it in a commit with more events than the feed keeps") {
  actor_fixture actors_of_test;
  store::event_feed feed;
  std::size_t heard = 0;
  const auto keeper = actors_of_test.track(actors_of_test.system.spawn(counting_keeper, &heard));
  const auto listening = actors::send_power_news(feed, keeper);
  std::vector<store::event> news(store::event_feed::kept + 500);
  for (std::size_t i = 0; i < news.size(); ++i) {
    news[i].id = static_cast<std::int64_t>(i) + 1;
    news[i].type = event_type::guest_changed;
    news[i].number = static_cast<std::int64_t>(i % 2 == 0 ? power_turn::went_off : power_turn::none);
  }
  feed.publish(std::move(news), nullptr);
  actors_of_test.run();
  CHECK(heard == (store::event_feed::kept + 500) / 2);
}
