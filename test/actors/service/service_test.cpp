#include "actor_fixture.hpp"

using namespace mistify;
using namespace mistify::test;
using actors::call_atom_v;
using actors::place_atom_v;

namespace {

class service_fixture : public actor_fixture {
public:
  explicit service_fixture(std::size_t max_pending = 2, std::size_t max_waiting = 10)
    : service{track(system.spawn(actors::service_behavior, std::string{"libvirt"}, max_pending, max_waiting,
                                 std::shared_ptr<actors::caller>{sub_agent},
                                 actors::service_metrics{measured, "libvirt"}, &roster))} {}

  std::shared_ptr<seen_reply<std::string>> call(const std::string& method, std::chrono::milliseconds timeout = 0ms,
                                                const rpc::cancellation& cancel = {}) {
    return ask<std::string>(service, call_atom_v, actors::service_call{method, "{}", timeout, true, cancel});
  }

  std::shared_ptr<fake_caller> sub_agent = std::make_shared<fake_caller>();
  actors::service_actor service;
};

} // namespace

TEST_CASE_METHOD(service_fixture, "a call's answer reaches whoever asked") {
  const auto asked = call("L.Run");
  auto out = sub_agent->take();
  CHECK(out.call.method == "L.Run");
  out.answer(std::string{"{}"});
  run();
  CHECK(asked->value == "{}");
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
  CHECK(late->error->code() == rpc::errc::sub_agent_timeout);
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
  auto first = ask<actors::lease>(service, place_atom_v, std::string{"L.Download"}, std::string{"g1"});
  auto second = ask<actors::lease>(service, place_atom_v, std::string{"L.Download"}, std::string{"g1"});
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

TEST_CASE_METHOD(service_fixture, "a service that dies tells those who wait") {
  call("1"), call("2");
  const auto waiting = call("3");
  caf::anon_send_exit(service, caf::exit_reason::kill);
  run();
  REQUIRE(waiting->error);
  CHECK(waiting->error->code() == rpc::errc::internal);
}

TEST_CASE_METHOD(service_fixture, "a call that is out when its service dies is still answered") {
  const auto out = call("1");
  caf::anon_send_exit(service, caf::exit_reason::kill);
  run();
  sub_agent->take().answer(std::string{"{}"});
  run();
  CHECK(out->value == "{}");
}
