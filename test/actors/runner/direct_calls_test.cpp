#include "actors/runner/direct_calls.hpp"

#include "../actor_fixture.hpp"
#include "actors/ids.hpp"

#include <algorithm>

using namespace mistify;
using namespace mistify::test;
using actors::info_request;

namespace {

actors::limits of_one_call() {
  actors::limits limit;
  limit.info = 1;
  return limit;
}

class direct_fixture : public agent_fixture {
public:
  explicit direct_fixture(const actors::limits& limit = {}, std::size_t width = 4)
    : agent_fixture{limit, R"("listImages":{"stages":[{"service":"s","method":"T.List"}]},
      "diskMetrics":{"stages":[{"service":"s","method":"T.One"},{"service":"s","method":"T.Two"}]},)",
                    width},
      calls{{*guests, info, actor_registry.open_direct_calls(), front, [limit] { return limit.info; },
             [this](const std::string&) { return desk; }, [this] { return system.clock().now(); }}} {
    add_guest("g1");
  }

  info_request metrics() const { return {action("cpuMetrics"), {}, false, "r1"}; }

  bool start(const std::string& runner, const info_request& what) {
    return calls.start(runner, what, [this](rpc::outcome<rpc::json::document> outcome) {
      if (auto* why = std::get_if<rpc::failure>(&outcome))
        errors.push_back(std::move(*why));
      else
        results.push_back(std::get<rpc::json::document>(outcome).root().text());
    });
  }

  std::shared_ptr<seen_reply<rpc::json::document>> ask_runner() {
    return ask<rpc::json::document>(front, actors::info_atom_v, std::string{"g1"}, metrics());
  }

  actors::actor_status look_at(const std::string& id) {
    const auto asked = ask<actors::look_ptr>(inspector, actors::inspect_atom_v, id);
    advance(300ms);
    REQUIRE(asked->value);
    REQUIRE((*asked->value)->size() == 1);
    return (*asked->value)->front();
  }

  actors::direct_calls calls;
  std::vector<std::string> results;
  std::vector<rpc::failure> errors;
};

} // namespace

TEST_CASE_METHOD(direct_fixture, "a call that waits for nobody is sent and answered without a message to an actor") {
  run();
  REQUIRE(start("g1", metrics()));
  const auto call = sub_agent->take();
  CHECK(call.call.method == "T.CPU");
  CHECK(call.call.guest == "g1");
  CHECK(call.call.request_id == "r1");
  CHECK(call.call.params.find(R"("guest":{"id":"g1")") != std::string::npos);
  CHECK(call.call.params.find(R"("type":"cpu")") != std::string::npos);
  call.answer(R"({"cpu":[]})");
  CHECK(results == std::vector<std::string>{R"({"cpu":[]})"});
  CHECK_FALSE(scheduler.has_job());
}

TEST_CASE_METHOD(direct_fixture, "questions to the agent itself are called as directly") {
  REQUIRE(start(std::string{actors::agent_runner}, {action("listImages"), R"({"id":"x"})"}));
  const auto call = sub_agent->take();
  CHECK(call.call.params == R"({"id":"x"})");
  call.answer(R"({"images":[]})");
  CHECK(results.size() == 1);
}

TEST_CASE_METHOD(direct_fixture, "what takes more than one call, or may not disturb, is the runner's") {
  CHECK_FALSE(start("g1", {action("diskMetrics"), {}}));
  CHECK_FALSE(start("g1", {action("cpuMetrics"), {}, true}));
  CHECK_FALSE(start("nobody", metrics()));
  CHECK(sub_agent->calls.empty());
  CHECK(gate->held() == 0);
}

TEST_CASE("direct calls and a runner's share the places of the guest") {
  direct_fixture f{of_one_call()};
  REQUIRE(f.start("g1", f.metrics()));
  CHECK_FALSE(f.start("g1", f.metrics()));
  const auto waiting = f.ask_runner();
  CHECK(f.sub_agent->calls.size() == 1);
  f.sub_agent->take().answer(R"({"cpu":[]})");
  CHECK_FALSE(f.start("g1", f.metrics())); // it does not pass the one that waits
  f.run();
  CHECK_FALSE(f.start("g1", f.metrics()));
  f.answer(R"({"cpu":[]})");
  CHECK(waiting->value);
  CHECK(f.start("g1", f.metrics()));
  f.sub_agent->take().answer(R"({"cpu":[]})");
}

TEST_CASE("direct calls wait for a place at the service like others, in order") {
  direct_fixture f{{}, 1};
  REQUIRE(f.start("g1", f.metrics()));
  const auto waiting = f.ask_runner();
  REQUIRE(f.start("g1", f.metrics()));
  CHECK(f.sub_agent->calls.size() == 1);
  f.answer(R"({"cpu":[]})");
  f.answer(R"({"cpu":[]})");
  CHECK(waiting->value);
  CHECK(f.results.size() == 1);
  f.answer(R"({"cpu":[]})");
  CHECK(f.results.size() == 2);
  CHECK(f.gate->held() == 0);
}

TEST_CASE_METHOD(direct_fixture, "the places are free again before the outcome is told") {
  std::size_t held = 9;
  REQUIRE(calls.start("g1", metrics(), [&](const auto&) { held = gate->held(); }));
  sub_agent->take().answer(R"({"cpu":[]})");
  CHECK(held == 0);
}

TEST_CASE_METHOD(direct_fixture, "a failure names the service and the stage, and is remembered by both actors") {
  REQUIRE(start("g1", metrics()));
  sub_agent->take().answer(rpc::failure{rpc::errc::sub_agent_failed, "no such domain"});
  REQUIRE(errors.size() == 1);
  CHECK(errors.front().message() == "no such domain");
  const auto& stack = errors.front().stack();
  CHECK(std::ranges::count(stack, "service s") == 1);
  CHECK(stack.back() == "stage 1 (T.CPU)");
  run();
  const auto runner = look_at("guest_runner:g1"), at_service = look_at("service:s");
  REQUIRE(runner.last_error);
  CHECK(runner.last_error->text == "cpuMetrics: no such domain");
  REQUIRE(at_service.last_error);
  CHECK(at_service.last_error->text == "T.CPU: no such domain, after 0 ms");
}

TEST_CASE_METHOD(direct_fixture, "people who look inside see a direct call at its guest and at its service") {
  REQUIRE(start("g1", metrics()));
  advance(42s);
  const auto asked = ask<actors::look_ptr>(inspector, actors::inspect_atom_v);
  REQUIRE(asked->value);
  const auto& all = **asked->value;
  for (const auto* id : {"guest_runner:g1", "service:s"}) {
    const auto seen = std::ranges::find(all, id, &actors::actor_status::id);
    REQUIRE(seen != all.end());
    CHECK(seen->state == actors::condition::working);
    REQUIRE(seen->calls.size() == 1);
    CHECK(seen->calls_out == 1);
    CHECK(seen->calls[0].method == "T.CPU");
    CHECK(seen->calls[0].guest == "g1");
    CHECK(seen->calls[0].service == "s");
    CHECK(seen->calls[0].since == 42s);
    CHECK(why_stuck(*seen, 30s) == "waits for the answer of T.CPU for 42 s");
  }
  const auto runner = look_at("guest_runner:g1");
  CHECK(runner.throttles.at(0).running == 1);
  CHECK(runner.calls.size() == 1);
  sub_agent->take().answer(R"({"cpu":[]})");
  CHECK(look_at("guest_runner:g1").calls.empty());
  CHECK(look_at("service:s").state == actors::condition::idle);
}

TEST_CASE("what waits at a runner that retires is not forgotten") {
  direct_fixture f{of_one_call()};
  REQUIRE(f.start("g1", f.metrics())); // the only place
  const auto direct = f.sub_agent->take();
  const auto old = f.ask_runner(); // waits at the runner
  f.ask<store::queued_job>(f.front, actors::queue_atom_v, std::string{"g1"}, f.job("delete"));
  f.answer_guest("g1", "deleted");
  f.run();
  REQUIRE_FALSE(f.guests->find("g1"));
  f.add_guest("g1");
  const auto first = f.ask_runner();
  direct.answer(R"({"cpu":[]})");
  f.run();
  while (!f.sub_agent->calls.empty())
    f.answer(R"({"cpu":[]})");
  CHECK(first->answered());
  CHECK(old->answered());
  CHECK(f.start("g1", f.metrics()));
  if (!f.sub_agent->calls.empty())
    f.answer(R"({"cpu":[]})");
  const auto second = f.ask_runner();
  while (!f.sub_agent->calls.empty())
    f.answer(R"({"cpu":[]})");
  CHECK(second->answered()); // nothing else is under way
}
