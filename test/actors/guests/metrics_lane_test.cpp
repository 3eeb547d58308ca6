#include "actors/guests/metrics_lane.hpp"
#include "actors/requests.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace mistify;
using namespace mistify::actors;
using namespace std::chrono_literals;

namespace {

using ending = metrics_lane::ending;

config with_actions(const std::string& actions) {
  return parse_config({{"test", R"({"services":{"s":{"port":1},"t":{"port":2}},"actions":{)" + actions + "}}"}});
}

/// Stages have a time-out of ten seconds by default.
std::vector<metrics_question> cpu_question() {
  return metrics_questions(with_actions(R"("cpuMetrics":{"stages":[{"service":"s","method":"T.CPU"}]})"))["s"];
}

/// A lane, some guests, and a clock that the test sets.
struct lane_fixture {
  lane_fixture(std::size_t count, std::size_t at_a_time) : width{at_a_time} {
    for (std::size_t i = 0; i < count; ++i)
      guests.push_back(
        std::make_shared<const store::stored_guest>(store::stored_guest{"g" + std::to_string(i), "", "{}"}));
  }

  /// Begins a round if one begins now, and returns the guests that are asked.
  std::vector<std::string> asked() {
    if (lane.begins(now))
      lane.begin(now, guests, questions, width);
    std::vector<std::string> ids;
    for (const auto& one : lane.next(now))
      ids.push_back(one.guest->id);
    return ids;
  }
  void end_all(ending how) {
    while (lane.in_flight() > 0)
      lane.ended(lane.batch(), how, now);
  }

  metrics_lane lane;
  metrics_lane::time now{1h};
  std::vector<store::guest_ptr> guests;
  std::vector<metrics_question> questions = cpu_question();
  std::size_t width;
};

using ids = std::vector<std::string>;

} // namespace

TEST_CASE("nobody is asked without a wish, and a wish begins a round over all guests") {
  lane_fixture f{3, 2};
  CHECK(f.asked().empty());
  CHECK_FALSE(f.lane.due());
  f.lane.want();
  CHECK(f.asked() == ids{"g0", "g1"});
  CHECK(f.asked().empty()); // the answers come first
  f.lane.ended(f.lane.batch(), ending::done, f.now);
  CHECK(f.asked().empty());
  f.lane.ended(f.lane.batch(), ending::done, f.now);
  CHECK(f.asked() == ids{"g2"});
  f.end_all(ending::done);
  CHECK(f.asked().empty());
  CHECK_FALSE(f.lane.is_running());
  CHECK_FALSE(f.lane.due());
}

TEST_CASE("wishes that come during a round or soon after it share one") {
  lane_fixture f{1, 1};
  f.lane.want();
  CHECK(f.asked() == ids{"g0"});
  f.lane.want();
  f.end_all(ending::done);
  CHECK(f.asked().empty());
  CHECK_FALSE(f.lane.due());
  f.now += 1s;
  f.lane.want();
  CHECK(f.asked().empty());
  CHECK(f.lane.due() == f.now + 4s);
  f.now += 4s;
  CHECK(f.asked() == ids{"g0"});
}

TEST_CASE("a busy service is asked the same again after a pause") {
  lane_fixture f{3, 2};
  f.lane.want();
  CHECK(f.asked() == ids{"g0", "g1"});
  f.lane.ended(f.lane.batch(), ending::busy, f.now);
  f.lane.ended(f.lane.batch(), ending::done, f.now);
  CHECK(f.asked().empty());
  CHECK(f.lane.due() == f.now + 100ms);
  f.now += 100ms;
  CHECK(f.asked() == ids{"g0", "g1"});
  f.end_all(ending::done);
  CHECK(f.asked() == ids{"g2"});
}

TEST_CASE("a service that does not respond is left alone until the next round, which continues at the same guest") {
  lane_fixture f{3, 1};
  f.lane.want();
  CHECK(f.asked() == ids{"g0"});
  f.end_all(ending::done);
  CHECK(f.asked() == ids{"g1"});
  f.end_all(ending::hopeless);
  CHECK(f.asked().empty());
  CHECK_FALSE(f.lane.is_running());
  f.now += 5s;
  f.lane.want();
  CHECK(f.asked() == ids{"g1"});
  f.end_all(ending::done);
  CHECK(f.asked() == ids{"g2"});
  f.end_all(ending::done);
  CHECK(f.asked() == ids{"g0"});
}

TEST_CASE("a request without an answer is given up at its deadline, and its answer does not count later") {
  lane_fixture f{2, 1};
  f.lane.want();
  CHECK(f.asked() == ids{"g0"});
  const auto late = f.lane.batch();
  REQUIRE(f.lane.due());
  CHECK(*f.lane.due() == f.now + longest_wait_for(*f.questions[0].what));
  CHECK_FALSE(f.lane.give_up(f.now));
  f.now = *f.lane.due();
  CHECK(f.lane.give_up(f.now));
  CHECK_FALSE(f.lane.give_up(f.now));
  CHECK_FALSE(f.lane.is_running());
  f.now += 5s;
  f.lane.want();
  CHECK(f.asked() == ids{"g0"});
  f.lane.ended(late, ending::done, f.now);
  CHECK(f.lane.in_flight() == 1);
}

TEST_CASE("a round that takes too long ends, and the next one continues at the same guest") {
  lane_fixture f{3, 1};
  f.lane.want();
  CHECK(f.asked() == ids{"g0"});
  f.now += 60s;
  f.end_all(ending::done);
  CHECK(f.asked().empty());
  CHECK_FALSE(f.lane.is_running());
  f.lane.want();
  CHECK(f.asked() == ids{"g1"});
}

TEST_CASE("a round without guests or questions is over at once") {
  lane_fixture none{0, 1};
  none.lane.want();
  CHECK(none.asked().empty());
  CHECK_FALSE(none.lane.is_running());
  lane_fixture unasked{2, 1};
  unasked.questions.clear();
  unasked.lane.want();
  CHECK(unasked.asked().empty());
  CHECK_FALSE(unasked.lane.is_running());
}

TEST_CASE("containers are asked by their own pipeline where there is one") {
  auto all = metrics_questions(with_actions(R"("cpuMetrics":{"stages":[{"service":"s","method":"T.CPU"}]},
    "containerCpuMetrics":{"stages":[{"service":"t","method":"C.CPU"}]},
    "nicMetrics":{"stages":[{"service":"s","method":"T.NIC"}]},"diskMetrics":{"stages":[]})"));
  const store::stored_guest machine{"m", "", "{}"}, container{"c", "container", "{}"};
  REQUIRE(all["s"].size() == 2);
  CHECK(all["s"][0].kind == figure_kind::cpu);
  CHECK(all["s"][0].is_for(machine));
  CHECK_FALSE(all["s"][0].is_for(container));
  CHECK(all["s"][1].kind == figure_kind::nic);
  CHECK(all["s"][1].is_for(container));
  REQUIRE(all["t"].size() == 1);
  CHECK(all["t"][0].is_for(container));
  CHECK_FALSE(all["t"][0].is_for(machine));
}
