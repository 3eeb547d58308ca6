#include "actor_fixture.hpp"
#include "actors/host/host_state.hpp"
#include "actors/host/host_watch.hpp"
#include "actors/host/proc_host.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::actors;
using namespace std::chrono_literals;
using test::actor_fixture;

namespace {

struct moving_clock {
  host_state::clock::time_point at{};
  std::function<host_state::clock::time_point()> reader() {
    return [this] { return at; };
  }
};

rpc::host_figures figures(std::uint64_t memory = 10'000) {
  rpc::host_figures f;
  f.host.cpu.count = 4;
  f.host.memory.total = memory;
  f.stores.push_back({"pool", 1000, 900, 0});
  return f;
}

std::string why_not(const host_state& of) {
  try {
    of.limits();
    return {};
  } catch (const rpc::failure& e) {
    CHECK(e.code() == rpc::errc::unavailable);
    return e.message();
  }
}

} // namespace

TEST_CASE("the host's limits are its size times the ratio, less the reserve") {
  const store::host_board board;
  host_state host{host_options{2, 1.5, 1000, 100}, true, board};
  host.put(figures());
  const auto limits = host.limits();
  REQUIRE(limits);
  CHECK(limits->cpu == 8);
  CHECK(limits->memory == 14'000);
  CHECK(limits->disk == 900);
}

TEST_CASE("a reserve beyond the host leaves nothing") {
  const store::host_board board;
  host_state host{host_options{1, 1, 20'000, 0}, true, board};
  host.put(figures());
  CHECK(host.limits()->memory == 0);
  CHECK(host.capacity().memory.free() == 0);
}

TEST_CASE("without host in the config, or without hostInfo, there is no admission") {
  const store::host_board board;
  CHECK_FALSE(host_state{std::nullopt, true, board}.limits());
  CHECK_FALSE(host_state{host_options{}, false, board}.limits());
}

TEST_CASE("figures that are too old admit nothing, and say why they are old") {
  const store::host_board board;
  moving_clock clock;
  host_state host{host_options{}, true, board, clock.reader()};
  host.note_failure("connection refused");
  CHECK(why_not(host) == "the size of the host is not known yet (connection refused)");
  host.put(figures());
  clock.at += 60s;
  CHECK(why_not(host).empty());
  clock.at += 1s;
  host.note_failure("timed out");
  CHECK(why_not(host) == "the size of the host was last known 61 s ago (timed out)");
  CHECK(host.view().age == 61s);
  CHECK(host.view().error == "timed out");
  host.put(figures());
  CHECK(why_not(host).empty());
  CHECK(host.view().error.empty());
}

TEST_CASE("capacity has what guests take beside the host's size") {
  store::host_board board;
  board.put(store::host_sums{{512, 1}, {2048, 3}, 300, 3, 1});
  host_state host{std::nullopt, true, board};
  host.put(figures());
  const auto has = host.capacity();
  CHECK(has.memory.total == 10'000);
  CHECK(has.memory.allocated == 512);
  CHECK(has.memory.free() == 7952);
  CHECK(has.cpu.total == 4);
  CHECK(has.disk.promised == 300);
  CHECK(has.running == 1);
  CHECK(host.view().figures.stores.at(0).promised == 300);
}

TEST_CASE("a host without a hypervisor is as large as the kernel says") {
  const store::host_board board;
  host_state host{std::nullopt, true, board};
  rpc::host_figures stores;
  stores.stores.push_back({"pool", 1000, 900, 0});
  host.put(stores);
  CHECK(host.view().figures.host.cpu.count > 0);
  CHECK(host.capacity().memory.total > 0);
  CHECK(host.capacity().disk.total == 1000);
}

TEST_CASE("the kernel's description of a host is read") {
  const auto host =
    parse_proc_host("processor\t: 0\nmodel name\t: Some CPU\nphysical id\t: 0\ncore id\t: 0\n\n"
                    "processor\t: 1\nmodel name\t: Some CPU\nphysical id\t: 0\ncore id\t: 0\n\n",
                    "MemTotal:        8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n"
                    "HugePages_Total:       3\nHugePages_Free:        2\nHugepagesize:       2048 kB\n");
  CHECK(host.cpu.count == 2);
  CHECK(host.cpu.threads == 2);
  CHECK(host.cpu.model == "Some CPU");
  CHECK(host.memory.total == 8192);
  CHECK(host.memory.free == 4096);
  REQUIRE(host.memory.huge_pages.size() == 1);
  CHECK(host.memory.huge_pages[0].size == 2);
  CHECK(host.memory.huge_pages[0].free == 2);
  CHECK(parse_proc_host("", "nonsense").cpu.count == 0);
}

namespace {

rpc::host_figures figures(std::string_view results) {
  return rpc::decode_host_figures(rpc::json::document::parse(results).root());
}

} // namespace

TEST_CASE("the results of all stages are one host, and nonsense is the sub-agent's fault") {
  const auto found = figures(
    R"([{"host":{"cpu":{"count":2},"memory":{"total":100}}},{"stores":[{"name":"a","total":1}]},{"stores":[{"name":"b"}]}])");
  CHECK(found.host.cpu.count == 2);
  CHECK(found.host.memory.total == 100);
  CHECK(found.stores.size() == 2);
  for (const auto* wrong : {R"([{"host":5}])", R"([{"host":{"cpu":{"count":-1}}}])", R"([{"stores":{}}])", "5", "{}"}) {
    INFO(wrong);
    CHECK_THROWS_AS(figures(wrong), rpc::failure);
  }
}

namespace {

/// A front that counts what it is asked, and answers when the test says so.
struct watch_fixture : actor_fixture {
  struct played {
    std::vector<reply<rpc::json::document>> asked;
  };

  explicit watch_fixture(std::optional<host_options> options) : state{options, true, board, clock.reader()} {
    fake = track(system.spawn([this](caf::event_based_actor* self) -> caf::behavior {
      return {[this, self](info_atom, const std::string&, const info_request&) {
        answers.asked.emplace_back(self);
        return answers.asked.back().later();
      }};
    }));
    what = std::make_shared<const action>(action{find_action_kind("hostInfo"), {}});
    watch = track(system.spawn(host_behavior, caf::actor_cast<front_actor>(fake),
                               std::function<action_ptr()>{[this] { return what; }}, &state, &actor_registry));
    run();
  }

  ~watch_fixture() { end_actors(); }

  store::host_board board;
  moving_clock clock;
  host_state state;
  played answers;
  action_ptr what;
  caf::actor fake;
  host_actor watch;
};

const auto small_host = rpc::json::document::parse(R"([{"host":{"cpu":{"count":2},"memory":{"total":100}}}])");

} // namespace

TEST_CASE("whoever asks for the host's figures at once shares a fetch, and later ones use it for 5 seconds") {
  watch_fixture f{std::nullopt};
  CHECK(f.answers.asked.empty());
  const auto one = f.ask<bool>(f.watch, refresh_atom_v), two = f.ask<bool>(f.watch, refresh_atom_v);
  REQUIRE(f.answers.asked.size() == 1);
  CHECK_FALSE(one->answered());
  f.answers.asked[0].deliver(small_host);
  f.run();
  CHECK(one->value == true);
  CHECK(two->value == true);
  CHECK(f.ask<bool>(f.watch, refresh_atom_v)->value == true);
  CHECK(f.answers.asked.size() == 1);
  f.clock.at += 5s;
  f.ask<bool>(f.watch, refresh_atom_v);
  CHECK(f.answers.asked.size() == 2);
}

TEST_CASE("a sub-agent that does not answer costs whoever asks 2 seconds") {
  watch_fixture f{std::nullopt};
  const auto asked = f.ask<bool>(f.watch, refresh_atom_v);
  f.advance(1999ms);
  CHECK_FALSE(asked->answered());
  f.advance(1ms);
  CHECK(asked->value == false);
  f.answers.asked[0].deliver(rpc::failure{rpc::errc::sub_agent_timeout, "too late"});
  f.run();
  CHECK(f.state.view().error == "too late");
}

TEST_CASE("with admission the figures are fetched without being asked for") {
  watch_fixture f{host_options{}};
  REQUIRE(f.answers.asked.size() == 1);
  f.answers.asked[0].deliver(small_host);
  f.run();
  CHECK(f.state.limits()->memory == 100);
  f.advance(30s);
  CHECK(f.answers.asked.size() == 2);
}
