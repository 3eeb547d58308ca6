#include "actor_fixture.hpp"
#include "rpc/base/thread_pool.hpp"

#include <atomic>
#include <future>
#include <thread>
#include <utility>

using namespace mistify;
using namespace mistify::test;
using actors::acquire_slot_atom_v;
using actors::call_atom_v;

namespace {

// A stored `done` owns the desk, which owns the caller: a test has to drop it, or both leak.

class service_fixture : public actor_fixture {
public:
  explicit service_fixture(std::size_t max_pending = 2, std::size_t max_waiting = 10)
    : gate{std::make_shared<actors::places>(max_pending)},
      desk{actors::service_desk::open({"libvirt", max_waiting, [this] { return system.clock().now(); }}, gate,
                                      sub_agent, actors::service_metrics{measured, "libvirt"})},
      service{track(system.spawn(actors::service_behavior, desk, &actor_registry))} {}
  ~service_fixture() { sub_agent->drop_all(); }

  std::shared_ptr<seen_reply<rpc::json::document>>
  call(const std::string& method, std::chrono::milliseconds timeout = 0ms, const rpc::cancellation& cancel = {}) {
    return ask<rpc::json::document>(service, call_atom_v, actors::service_call{method, "{}", timeout, true, cancel});
  }

  std::shared_ptr<fake_caller> sub_agent = std::make_shared<fake_caller>();
  std::shared_ptr<actors::places> gate;
  std::shared_ptr<actors::service_desk> desk;
  actors::service_actor service;
};

} // namespace

TEST_CASE_METHOD(service_fixture, "a call's answer reaches whoever asked") {
  const auto asked = call("L.Run");
  auto out = sub_agent->take();
  CHECK(out.call.method == "L.Run");
  out.answer(std::string{"{}"});
  run();
  CHECK(asked->value->root().text() == "{}");
}

TEST_CASE_METHOD(service_fixture, "a failed call says which service it was") {
  const auto asked = call("L.Run");
  sub_agent->take().answer(rpc::failure{rpc::errc::sub_agent_failed, "no domain"});
  run();
  REQUIRE(asked->error);
  CHECK(asked->error->message() == "no domain");
  CHECK(asked->error->stack().back() == "service libvirt");
}

TEST_CASE_METHOD(service_fixture, "no more calls than max_pending are out at a time, the rest goes in order") {
  call("1"), call("2"), call("3"), call("4");
  REQUIRE(sub_agent->calls.size() == 2);
  sub_agent->take().answer(std::string{"{}"});
  run();
  REQUIRE(sub_agent->calls.size() == 2);
  CHECK(sub_agent->calls.back().call.method == "3");
  sub_agent->take().answer(rpc::failure{rpc::errc::sub_agent_failed, "x"});
  run();
  CHECK(sub_agent->calls.back().call.method == "4");
}

TEST_CASE("a service refuses calls that find no place to wait") {
  service_fixture f{1, 1};
  f.call("1"), f.call("2");
  const auto refused = f.call("3");
  REQUIRE(refused->error);
  CHECK(refused->error->code() == rpc::errc::queue_full);
}

TEST_CASE_METHOD(service_fixture, "a waiting call ends when its time is over, and is never made") {
  call("1"), call("2");
  const auto late = call("3", 500ms);
  const auto patient = call("4", 5s);
  advance(400ms);
  CHECK_FALSE(late->answered());
  advance(200ms);
  REQUIRE(late->error);
  CHECK(late->error->code() == rpc::errc::unavailable); // 503, and not the sub-agent's fault
  CHECK_FALSE(patient->answered());
  sub_agent->take().answer(std::string{"{}"});
  run();
  CHECK(sub_agent->calls.back().call.method == "4");
}

TEST_CASE_METHOD(service_fixture, "a waiting call outlasts a stop of the process that is longer than its time") {
  call("1"), call("2");
  const auto waiting = call("3", 500ms);
  advance(100ms);
  advance(20s);
  CHECK_FALSE(waiting->answered());
  sub_agent->take().answer(std::string{"{}"});
  run();
  CHECK(sub_agent->calls.back().call.method == "3");
  const auto late = call("4", 500ms);
  advance(20s);
  for (int i = 0; i < 6; ++i)
    advance(100ms);
  CHECK(late->error);
}

TEST_CASE_METHOD(service_fixture, "a cancelled call is not made") {
  call("1"), call("2");
  const rpc::cancellation cancel;
  const auto dropped = call("3", 0ms, cancel);
  cancel.cancel();
  advance(200ms);
  REQUIRE(dropped->error);
  CHECK(dropped->error->code() == rpc::errc::cancelled);
}

TEST_CASE_METHOD(service_fixture, "a download's place counts as a call and comes back with its lease") {
  auto first = ask<actors::lease>(service, acquire_slot_atom_v, std::string{"L.Download"}, std::string{"g1"}, true);
  auto second = ask<actors::lease>(service, acquire_slot_atom_v, std::string{"L.Download"}, std::string{"g1"}, true);
  REQUIRE(first->value);
  REQUIRE(second->value);
  call("waits");
  CHECK(sub_agent->calls.empty());
  first.reset();
  run();
  // The asker that got the reply still holds a copy of it until it ends.
  second->value->reset();
  run();
  CHECK(sub_agent->calls.size() <= 1);
}

TEST_CASE_METHOD(service_fixture, "a stream that may not wait is refused while no place is free") {
  const auto place = [&] {
    return ask<actors::lease>(service, acquire_slot_atom_v, std::string{"L.Log"}, std::string{"g1"}, false);
  };
  auto first = place();
  const auto second = place(), third = place();
  REQUIRE(first->value);
  REQUIRE(second->value);
  REQUIRE(third->error);
  CHECK(third->error->code() == rpc::errc::queue_full);
  first.reset();
  run();
  CHECK(place()->value);
}

TEST_CASE_METHOD(service_fixture, "what waits outlasts the actor of the service, and is swept by its replacement") {
  call("1"), call("2");
  const auto waiting = call("3"), late = call("4", 500ms);
  caf::anon_send_exit(service, caf::exit_reason::kill);
  run();
  CHECK_FALSE(waiting->answered());
  service = track(system.spawn(actors::service_behavior, desk, &actor_registry));
  run();
  advance(600ms);
  REQUIRE(late->error);
  CHECK(late->error->code() == rpc::errc::unavailable);
  sub_agent->take().answer(std::string{"{}"});
  run();
  CHECK(sub_agent->calls.back().call.method == "3");
}

TEST_CASE_METHOD(service_fixture, "what waits begins on the thread that gives its place back, without a message") {
  call("1"), call("2"), call("3");
  sub_agent->take().answer(std::string{"{}"});
  CHECK(sub_agent->calls.back().call.method == "3");
}

TEST_CASE("calls that fail at once, one after the other, do not start each other from within") {
  class refusing final : public actors::caller {
  public:
    void start(actors::service_call, done when_done) override {
      if (holds) {
        held = std::move(when_done);
        return;
      }
      deepest = std::max(deepest, ++depth);
      when_done(rpc::failure{rpc::errc::sub_agent_failed, "refused"});
      --depth;
    }
    bool holds = true;
    done held;
    int depth = 0, deepest = 0;
  };
  rpc::metrics::registry measured;
  const auto out = std::make_shared<refusing>();
  const auto desk = actors::service_desk::open({"s", 10'000}, std::make_shared<actors::places>(1), out,
                                               actors::service_metrics{measured, "s"});
  int failed = 0;
  for (int i = 0; i < 5000; ++i)
    desk->call({.method = "T", .params = "{}", .cancel = {}},
               [&](const auto& result) { failed += std::holds_alternative<rpc::failure>(result) ? 1 : 0; });
  out->holds = false;
  std::exchange(out->held, nullptr)(rpc::failure{rpc::errc::sub_agent_failed, "refused"});
  CHECK(failed == 5000);
  CHECK(out->deepest == 1);
}

TEST_CASE("calls of many threads are answered once each, and never more are out than there are places") {
  constexpr std::size_t width = 3, askers = 4, calls_each = 500;
  class busy final : public actors::caller {
  public:
    void start(actors::service_call, done when_done) override {
      most = std::max(most.load(), ++out);
      const bool posted = threads.try_post([this, told = std::move(when_done)] {
        --out;
        told(rpc::json::document::parse("{}"));
      });
      if (!posted)
        ++refused;
    }
    std::atomic<std::size_t> out{0}, most{0}, refused{0};
    rpc::thread_pool threads{"test", width, 100};
  };
  rpc::metrics::registry measured;
  const auto out = std::make_shared<busy>();
  const auto gate = std::make_shared<actors::places>(width);
  const auto desk = actors::service_desk::open({"s", 10'000}, gate, out, actors::service_metrics{measured, "s"});
  desk->attach({[] {}, [&] { desk->start_waiting(); }, {}});
  std::atomic<std::size_t> answered{0};
  std::promise<void> all;
  const auto note = [&](const auto&) {
    if (++answered == askers * calls_each)
      all.set_value();
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < askers; ++i)
    threads.emplace_back([&] {
      for (std::size_t k = 0; k < calls_each; ++k)
        desk->call({.method = "T", .params = "{}", .cancel = {}}, note);
    });
  REQUIRE(all.get_future().wait_for(30s) == std::future_status::ready);
  CHECK(gate->held() == 0);
  CHECK(out->most <= width);
  CHECK(out->refused == 0);
  desk->attach({});
}

TEST_CASE_METHOD(service_fixture, "at the end of the agent nothing begins any more") {
  call("1"), call("2");
  const auto waiting = call("3");
  desk->close();
  sub_agent->take().answer(std::string{"{}"});
  run();
  CHECK(sub_agent->calls.size() == 1);
  CHECK_FALSE(waiting->answered());
  const auto refused = call("4");
  REQUIRE(refused->error);
  CHECK(refused->error->code() == rpc::errc::unavailable);
}

TEST_CASE_METHOD(service_fixture, "a call that is out when its service dies is still answered") {
  const auto out = call("1");
  caf::anon_send_exit(service, caf::exit_reason::kill);
  run();
  sub_agent->take().answer(std::string{"{}"});
  run();
  CHECK(out->value->root().text() == "{}");
}

TEST_CASE_METHOD(service_fixture, "jobs that are held get their places in the order of their acceptance") {
  auto hold = gate->hold_jobs();
  std::vector<std::shared_ptr<seen_reply<actors::place_ptr>>> asked;
  for (const auto accepted : {5, 3, 4, 6})
    asked.push_back(ask<actors::place_ptr>(service, acquire_slot_atom_v,
                                           actors::place_request{gate->claim_for_job(), accepted, "L.Run"}));
  call("question");
  CHECK(sub_agent->calls.size() == 1); // which waits for no job
  CHECK_FALSE(asked[1]->answered());
  hold.reset();
  run();
  CHECK(asked[1]->value);
  CHECK_FALSE(asked[2]->answered());
  sub_agent->take().answer(std::string{"{}"});
  run();
  CHECK(asked[2]->value);
  CHECK_FALSE(asked[0]->answered());
}

TEST_CASE("a job's claim that is dropped while it waits makes room for the next") {
  service_fixture f{1};
  f.call("1");
  const rpc::cancellation cancel;
  const auto dropped = f.ask<actors::place_ptr>(
    f.service, acquire_slot_atom_v, actors::place_request{f.gate->claim_for_job(), 1, "L.Run", {}, {}, cancel});
  const auto next = f.ask<actors::place_ptr>(f.service, acquire_slot_atom_v,
                                             actors::place_request{f.gate->claim_for_job(), 2, "L.Run"});
  cancel.cancel();
  f.sub_agent->take().answer(std::string{"{}"});
  f.run();
  CHECK(dropped->error->code() == rpc::errc::cancelled);
  CHECK(next->value);
}

TEST_CASE_METHOD(service_fixture, "a call with a place that its sender took passes those that wait") {
  const auto first = gate->claim(), second = gate->claim();
  call("waits");
  CHECK(sub_agent->calls.empty());
  actors::service_call out;
  out.method = "L.Run";
  out.place = first;
  ask<rpc::json::document>(service, call_atom_v, out);
  REQUIRE(sub_agent->calls.size() == 1);
  CHECK(sub_agent->calls.front().call.method == "L.Run");
  CHECK(gate->held() == 2);
}

TEST_CASE("whoever gives a place back gets its answer before it serves others") {
  class quick final : public actors::caller {
  public:
    void start(actors::service_call call, done told) override {
      if (call.method == "slow")
        first = std::move(told);
      else
        told(rpc::json::document::parse("{}"));
    }
    done first;
  };
  rpc::metrics::registry measured;
  const auto out = std::make_shared<quick>();
  const auto desk = actors::service_desk::open({"s", 1000}, std::make_shared<actors::places>(1), out,
                                               actors::service_metrics{measured, "s"});
  std::vector<std::string> order;
  const auto call = [&](const std::string& m) {
    desk->call({m, "{}", 0ms, true, {}}, [&order, m](const auto&) { order.push_back(m); });
  };
  call("slow");
  for (int i = 0; i < 5; ++i)
    call("quick");
  std::exchange(out->first, nullptr)(rpc::json::document::parse("{}"));
  CHECK(order.front() == "slow");
}

TEST_CASE("nothing begins after the close") {
  class closing final : public actors::caller {
  public:
    void start(actors::service_call, done told) override {
      ++begun;
      if (begun == 2)
        desk->close(); // as another thread does meanwhile
      if (begun == 1)
        first = std::move(told);
      else
        told(rpc::json::document::parse("{}"));
    }
    actors::service_desk* desk = nullptr;
    int begun = 0;
    done first;
  };
  rpc::metrics::registry measured;
  const auto out = std::make_shared<closing>();
  const auto desk = actors::service_desk::open({"s", 1000}, std::make_shared<actors::places>(1), out,
                                               actors::service_metrics{measured, "s"});
  out->desk = desk.get();
  for (int i = 0; i < 5; ++i)
    desk->call({"x", "{}", 0ms, true, {}}, [](const auto&) {});
  std::exchange(out->first, nullptr)(rpc::json::document::parse("{}"));
  CHECK(out->begun == 2);
}
