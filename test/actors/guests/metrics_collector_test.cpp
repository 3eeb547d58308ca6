#include "../actor_fixture.hpp"
#include "actors/guests/metrics_collector.hpp"

using namespace mistify;
using namespace mistify::test;

namespace {

/// An agent with two guests, and a collector of their metrics.
struct collector_fixture : agent_fixture {
  collector_fixture() {
    add_guest("a");
    add_guest("b");
    settings = std::make_shared<const actors::config>(config);
    collector = track(system.spawn(actors::metrics_behavior,
                                   actors::metrics_context{front, [this] { return settings; }, guests, &figures},
                                   &actor_registry));
  }
  ~collector_fixture() { end_actors(); }

  void want() {
    caf::anon_send(collector, actors::refresh_atom_v);
    run();
  }
  void answer_cpu(double seconds) { answer(R"({"cpu":[{"cpu_time":)" + std::to_string(seconds) + "}]}"); }
  /// The time of the first processor by guest.
  std::map<std::string, double> known() const {
    std::map<std::string, double> found;
    for (const auto& one : figures.all())
      if (!one->cpus.empty())
        found[one->guest] = one->cpus[0].cpu_time;
    return found;
  }

  std::shared_ptr<const actors::config> settings;
  actors::guest_metrics_cache figures{256};
  actors::metrics_actor collector;
};

using values = std::map<std::string, double>;

} // namespace

TEST_CASE("the collector asks for the metrics of all guests when somebody wants them, and stores the answers") {
  collector_fixture f;
  f.advance(1min);
  CHECK(f.sub_agent->calls.empty());
  f.want();
  CHECK(f.sub_agent->calls.size() == 2);
  CHECK(f.sub_agent->calls.front().call.background);
  f.answer_cpu(1);
  f.answer_cpu(2);
  CHECK(f.known() == values{{"a", 1}, {"b", 2}});
  f.want(); // soon after the round
  CHECK(f.sub_agent->calls.empty());
  f.advance(5s);
  CHECK(f.sub_agent->calls.size() == 2);
}

TEST_CASE("the collector removes what a guest does not have, and keeps what could not be fetched") {
  collector_fixture f;
  f.want();
  f.answer_cpu(1);
  f.answer_cpu(2);
  f.advance(5s);
  f.want();
  f.answer_error("domain is not running");
  f.sub_agent->take().answer(rpc::failure{rpc::errc::sub_agent_timeout, "no answer"});
  f.run();
  CHECK(f.known() == values{{"b", 2}});
  const auto status = f.ask<actors::actor_status>(f.collector, actors::status_atom_v, true);
  REQUIRE(status->value);
  CHECK_FALSE(status->value->works_on);
  REQUIRE(status->value->history.size() == 1);
  CHECK(status->value->history[0].text == "s: no answer");
}

TEST_CASE("the collector gives up what is not answered, and says what it waits for") {
  collector_fixture f;
  f.want();
  const auto waiting = f.ask<actors::actor_status>(f.collector, actors::status_atom_v, false);
  REQUIRE(waiting->value);
  REQUIRE(waiting->value->works_on);
  CHECK(waiting->value->works_on->doing == "waits for metrics of guests from s");
  f.advance(25h);
  const auto later = f.ask<actors::actor_status>(f.collector, actors::status_atom_v, true);
  REQUIRE(later->value);
  CHECK_FALSE(later->value->works_on);
  CHECK(later->value->history.size() == 1);
}

TEST_CASE("the collector asks nothing once the agent stops, and by the config that holds now") {
  collector_fixture f;
  auto without = f.config;
  without.actions.erase("cpuMetrics");
  f.settings = std::make_shared<const actors::config>(without);
  f.want();
  CHECK(f.sub_agent->calls.empty());
  f.settings = std::make_shared<const actors::config>(f.config);
  caf::anon_send(f.collector, actors::drain_atom_v);
  f.want();
  f.advance(1min);
  CHECK(f.sub_agent->calls.empty());
}
