#include "actor_fixture.hpp"

using namespace mistify;
using namespace mistify::test;
using namespace mistify::actors;
using rpc::errc;
using rpc::job_status;

namespace {

const std::string guest_id = "22222222-2222-2222-2222-222222222222";

class control_fixture : public agent_fixture {
public:
  explicit control_fixture() { add_guest(guest_id); }

  std::string queue(std::string_view name, std::string request = {}) {
    const auto queued =
      ask<store::queued_job>(front, queue_atom_v, guest_id, job_request{action(name), request, "", ""});
    REQUIRE(queued->value);
    return queued->value->job.id;
  }
  auto cancel(const std::string& job) { return ask<rpc::job>(front, cancel_atom_v, guest_id, job); }
  auto wait(const std::string& job) { return ask<bool>(front, wait_atom_v, guest_id, job); }
};

} // namespace

TEST_CASE_METHOD(control_fixture, "a queued job that is cancelled ends at once and never runs") {
  queue("reboot");
  const auto second = queue("reboot"), third = queue("restart");
  const auto cancelled = cancel(second);
  REQUIRE(cancelled->value);
  CHECK(cancelled->value->status == job_status::error);
  CHECK(job_of(second).message == "cancelled");
  answer_guest(guest_id, "stopped");
  answer_guest(guest_id, "running");
  CHECK(sub_agent->calls.front().call.method == "T.Restart");
  answer_guest(guest_id, "running");
  CHECK(job_of(third).status == job_status::complete);
}

TEST_CASE_METHOD(control_fixture, "a running job that is cancelled drops its call, and the next one begins") {
  const auto first = queue("reboot"), second = queue("restart");
  answer_guest(guest_id, "stopped");
  const auto out = sub_agent->take();
  const auto cancelled = cancel(first);
  REQUIRE(cancelled->value);
  CHECK(cancelled->value->message == "cancelled in stage 2 (T.Start)");
  CHECK(out.call.cancel.cancelled());
  CHECK(sub_agent->calls.front().call.method == "T.Restart");
  out.answer(R"({"guest":{"id":")" + guest_id + R"(","state":"late"}})");
  run();
  CHECK(rpc::decode_guest(guests->find(guest_id)->doc).state == "stopped");
  answer_guest(guest_id, "running");
  CHECK(job_of(second).status == job_status::complete);
}

TEST_CASE_METHOD(control_fixture, "a job that waits for its retry can be cancelled") {
  const auto job = queue("restart");
  answer(R"({"retry":60})");
  REQUIRE(cancel(job)->value);
  CHECK(job_of(job).message == "cancelled in stage 1 (T.Restart)");
  advance(120s);
  CHECK(sub_agent->calls.empty());
}

TEST_CASE_METHOD(control_fixture, "a job that has ended cannot be cancelled") {
  const auto job = queue("restart");
  answer_guest(guest_id, "running");
  const auto late = cancel(job);
  REQUIRE(late->error);
  CHECK(late->error->code() == errc::conflict);
  CHECK(job_of(job).status == job_status::complete);
}

TEST_CASE_METHOD(control_fixture, "a cancel that the database refuses says so and ends the job later all the same") {
  const auto running = queue("restart"), queued = queue("reboot");
  *disk_full = true;
  CHECK(cancel(queued)->error->code() == errc::storage_failed);
  CHECK(cancel(running)->error->code() == errc::storage_failed);
  *disk_full = false;
  advance(2s);
  CHECK(job_of(running).message == "cancelled in stage 1 (T.Restart)");
  CHECK(job_of(queued).status == job_status::running);
}

TEST_CASE_METHOD(control_fixture, "waiting for a job is over when it ends, however it ends") {
  const auto first = queue("restart"), second = queue("reboot"), third = queue("delete"), fourth = queue("reboot");
  const auto one = wait(first), two = wait(second), three = wait(third), four = wait(fourth);
  CHECK_FALSE(one->answered());
  answer_guest(guest_id, "running");
  CHECK(one->value);
  CHECK_FALSE(two->answered());
  cancel(second);
  CHECK(two->value);
  sub_agent->take(); // the call that was dropped
  answer_guest(guest_id, "gone");
  CHECK(three->value);
  CHECK(four->value);
  CHECK(wait(first)->error->code() == errc::not_found);
}

TEST_CASE_METHOD(control_fixture, "those who wait for one job are bounded: the oldest make room") {
  const auto job = queue("restart");
  const auto first = wait(job);
  for (int i = 0; i < 100; ++i)
    wait(job);
  CHECK(first->answered());
}

TEST_CASE_METHOD(control_fixture, "a forced delete that a crash interrupts goes past the stage whose call was out") {
  const auto job = queue("delete", std::string{forced_delete});
  REQUIRE(sub_agent->take().call.method == "T.Delete");
  restart();
  CHECK(sub_agent->calls.empty()); // it is not sent again
  CHECK(job_of(job).status == rpc::job_status::complete);
  CHECK(job_of(job).message == "forced past: interrupted by an agent restart in stage 1 (T.Delete)");
  CHECK_FALSE(guests->find(guest_id));
}

TEST_CASE_METHOD(control_fixture, "a forced delete goes past failing stages and takes the record") {
  const auto job = queue("delete", std::string{forced_delete});
  answer_error("no domain");
  CHECK(guests->find(guest_id) == nullptr);
  CHECK(job_of(job).status == job_status::complete);
  CHECK(job_of(job).message == "forced past: no domain");
}

TEST_CASE_METHOD(control_fixture, "a guest stays when its delete is cancelled") {
  const auto job = queue("delete");
  REQUIRE(cancel(job)->value);
  CHECK(guests->find(guest_id));
  queue("restart");
  CHECK(sub_agent->calls.back().call.method == "T.Restart");
}
