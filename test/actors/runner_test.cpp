#include "actor_fixture.hpp"

using namespace mistify;
using namespace mistify::test;
using namespace mistify::actors;
using rpc::errc;
using rpc::job_status;

namespace {

const std::string guest_id = "11111111-1111-1111-1111-111111111111";

rpc::guest new_guest() {
  rpc::guest g;
  g.id = guest_id;
  g.state = "create";
  return g;
}

class runner_fixture : public agent_fixture {
public:
  using agent_fixture::agent_fixture;

  auto queue(std::string_view name) { return ask<store::queued_job>(front, queue_atom_v, guest_id, job(name)); }
  auto create() { return ask<store::queued_job>(front, create_atom_v, new_guest(), job("create")); }
  auto metrics() {
    return ask<rpc::json::document>(front, info_atom_v, guest_id, info_request{action("cpuMetrics"), {}});
  }

  std::string state() const { return rpc::decode_guest(guests->find(guest_id)->doc).state; }
};

} // namespace

TEST_CASE_METHOD(runner_fixture, "a create stores the guest, calls its stage and completes") {
  const auto created = create();
  REQUIRE(created->value);
  CHECK(created->value->job.status == job_status::queued);
  CHECK(state() == "create");
  CHECK(job_of(created->value->job.id).status == job_status::running);
  answer_guest(guest_id, "running");
  CHECK(state() == "running");
  CHECK(job_of(created->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "a create that fails leaves the guest with state error and the reason in the job") {
  const auto created = create();
  answer_error("no space left on device");
  CHECK(state() == "error");
  const auto job = job_of(created->value->job.id);
  CHECK(job.status == job_status::error);
  CHECK(job.message == "no space left on device");
}

TEST_CASE_METHOD(runner_fixture, "the id of a request goes with its questions and with its job, over a restart too") {
  add_guest(guest_id);
  ask<rpc::json::document>(front, info_atom_v, guest_id, info_request{action("cpuMetrics"), {}, false, "question-1"});
  CHECK(sub_agent->take().call.request_id == "question-1");
  auto wanted = job("restart");
  wanted.request_id = "request-1";
  ask<store::queued_job>(front, queue_atom_v, guest_id, wanted);
  REQUIRE(sub_agent->calls.size() == 1);
  CHECK(sub_agent->calls.front().call.request_id == "request-1");
  restart();
  REQUIRE(sub_agent->calls.size() == 1);
  CHECK(sub_agent->calls.front().call.request_id == "request-1");
}

TEST_CASE_METHOD(runner_fixture, "jobs of a guest run one at a time, in order") {
  add_guest(guest_id);
  const auto first = queue("reboot"), second = queue("restart");
  REQUIRE(sub_agent->calls.size() == 1);
  CHECK(sub_agent->calls.front().call.method == "T.Stop");
  CHECK(job_of(second->value->job.id).status == job_status::queued);
  answer_guest(guest_id, "stopped");
  CHECK(state() == "stopped");
  CHECK(sub_agent->calls.front().call.method == "T.Start");
  answer_guest(guest_id, "running");
  CHECK(job_of(first->value->job.id).status == job_status::complete);
  CHECK(sub_agent->calls.front().call.method == "T.Restart");
  answer_guest(guest_id, "running");
  CHECK(job_of(second->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "a failed job does not stop those behind it") {
  add_guest(guest_id);
  queue("reboot");
  const auto next = queue("restart");
  answer_error("boom");
  answer_guest(guest_id, "running");
  CHECK(job_of(next->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "metadata that a client changes while a stage runs is kept") {
  add_guest(guest_id);
  queue("restart");
  ask<rpc::metadata_map>(log, patch_atom_v, guest_id, rpc::metadata_patch{{"k", "client"}}, store::audit_ptr{},
                         std::string{});
  answer(R"({"guest":{"id":")" + guest_id + R"(","state":"up","metadata":{"k":"agent","other":"x"}}})");
  const auto guest = rpc::decode_guest(guests->find(guest_id)->doc);
  CHECK(guest.state == "up");
  CHECK(guest.metadata == rpc::metadata_map{{"k", "client"}, {"other", "x"}});
}

TEST_CASE_METHOD(runner_fixture, "a delete takes the record, the runner and the jobs behind it") {
  add_guest(guest_id);
  const auto deleted = queue("delete"), behind = queue("reboot");
  answer_guest(guest_id, "gone");
  CHECK(guests->find(guest_id) == nullptr);
  CHECK(job_of(deleted->value->job.id).status == job_status::complete);
  CHECK(job_of(behind->value->job.id).status == job_status::error);
  CHECK(job_of(behind->value->job.id).message == "guest deleted");
  CHECK(sub_agent->calls.empty());
  const auto after = queue("reboot");
  REQUIRE(after->error);
  CHECK(after->error->code() == errc::not_found);
}

TEST_CASE_METHOD(runner_fixture, "a guest can be created again after it was deleted") {
  add_guest(guest_id);
  queue("delete");
  answer_guest(guest_id, "gone");
  REQUIRE(create()->value);
  answer_guest(guest_id, "running");
  CHECK(state() == "running");
}

TEST_CASE("a create at any moment of a delete is refused or queued") {
  bool over = false;
  for (std::size_t moment = 0; !over; ++moment) {
    runner_fixture f;
    f.add_guest(guest_id);
    f.queue("delete");
    f.sub_agent->take().answer(R"({"guest":{"id":")" + guest_id + R"("}})");
    over = f.scheduler.run(moment) < moment;
    caf::scoped_actor client{f.system};
    auto created = client->request(f.front, caf::infinite, create_atom_v, new_guest(), f.job("create", "another"));
    f.run();
    INFO("after " << moment << " messages");
    created.receive([&](const store::queued_job&) { CHECK(f.state() == "create"); },
                    [&](const caf::error& e) {
                      INFO(to_failure(e).message());
                      CHECK(to_failure(e).code() == errc::conflict);
                    });
  }
}

TEST_CASE_METHOD(runner_fixture, "a delete that fails keeps the record") {
  add_guest(guest_id);
  queue("delete");
  answer_error("busy");
  CHECK(state() == "running");
  REQUIRE(queue("restart")->value);
}

TEST_CASE_METHOD(runner_fixture, "a stage that asks for a retry runs again after its pause") {
  add_guest(guest_id);
  const auto job = queue("restart");
  answer(R"({"retry":5})");
  CHECK(sub_agent->calls.empty());
  CHECK(job_of(job->value->job.id).status == job_status::running);
  advance(4s);
  CHECK(sub_agent->calls.empty());
  advance(2s);
  REQUIRE(sub_agent->calls.size() == 1);
  answer_guest(guest_id, "running");
  CHECK(job_of(job->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "a pipeline without stages completes") {
  add_guest(guest_id);
  const auto job = queue("suspend");
  CHECK(job_of(job->value->job.id).status == job_status::complete);
  CHECK(job_of(job->value->job.id).started_at != rpc::timestamp{});
}

TEST_CASE("a full queue refuses jobs and logs nothing of them") {
  limits limit;
  limit.queue = 2;
  runner_fixture f{limit};
  f.add_guest(guest_id);
  f.queue("reboot"); // runs
  REQUIRE(f.queue("reboot")->value);
  REQUIRE(f.queue("reboot")->value);
  const auto refused = f.queue("reboot");
  REQUIRE(refused->error);
  CHECK(refused->error->code() == errc::queue_full);
  CHECK(store::job_reader{f.path()}.latest(100).size() == 4);
}

TEST_CASE("a full queue takes one job that ends those in it") {
  limits limit;
  limit.queue = 2;
  runner_fixture f{limit, R"("poweroff":{"stages":[{"service":"s","method":"T.Off"}]},)"};
  f.add_guest(guest_id);
  f.queue("reboot"); // runs
  const auto waits = f.queue("reboot"), last = f.queue("restart");
  const auto refused = f.queue("poweroff"); // without preempt
  REQUIRE(refused->error);
  CHECK(refused->error->code() == errc::queue_full);
  auto off = f.job("poweroff");
  off.request = R"({"params":{"preempt":true}})";
  caf::scoped_actor client{f.system};
  auto first = client->request(f.front, caf::infinite, queue_atom_v, guest_id, off);
  auto second = client->request(f.front, caf::infinite, queue_atom_v, guest_id, off); // while the first is being queued
  f.run();
  first.receive([](const store::queued_job& queued) { CHECK(queued.preempted.size() == 3); },
                [](const caf::error& e) { FAIL(to_failure(e).message()); });
  second.receive([](const store::queued_job&) { FAIL("taken beyond the bound"); },
                 [](const caf::error& e) { CHECK(to_failure(e).code() == errc::queue_full); });
  for (const auto& ended : {waits, last})
    CHECK(f.job_of(ended->value->job.id).code == rpc::job_code::preempted);
  CHECK(f.queue("reboot")->value); // there is room again
}

TEST_CASE_METHOD(runner_fixture, "an info question goes beside the jobs and gets the stored guest") {
  add_guest(guest_id);
  queue("reboot");
  const auto asked = metrics();
  REQUIRE(sub_agent->calls.size() == 2);
  CHECK(sub_agent->calls.back().call.params == R"({"guest":)" + guests->find(guest_id)->doc + R"(,"type":"cpu"})");
  sub_agent->calls.back().answer(std::string{R"({"cpu":[]})"});
  run();
  CHECK(asked->value->root().text() == R"({"cpu":[]})");
}

TEST_CASE("info questions beyond the throttle wait, and beyond that are refused") {
  limits limit;
  limit.info = 1;
  limit.info_waiting = 1;
  runner_fixture f{limit};
  f.add_guest(guest_id);
  const auto first = f.metrics(), second = f.metrics(), third = f.metrics();
  REQUIRE(third->error);
  CHECK(third->error->code() == errc::queue_full);
  CHECK(f.sub_agent->calls.size() == 1);
  f.answer("{}");
  CHECK(first->value->root().text() == "{}");
  f.answer("{}");
  CHECK(second->value->root().text() == "{}");
}

TEST_CASE("limits that change hold for what is asked next, and what waits goes on in order") {
  limits limit;
  limit.info = 1;
  limit.info_waiting = 1;
  limit.queue = 2;
  runner_fixture f{limit};
  f.add_guest(guest_id);
  const auto first = f.metrics(), second = f.metrics();
  limit.info = 3;
  limit.queue = 1;
  f.set_limits(limit);
  const auto third = f.metrics();
  CHECK(f.sub_agent->calls.size() == 3);
  for (int i = 0; i < 3; ++i)
    f.answer("{}");
  for (const auto& one : {first, second, third})
    CHECK(one->value->root().text() == "{}");
  f.queue("reboot"); // runs
  REQUIRE(f.queue("reboot")->value);
  CHECK(f.queue("reboot")->error->code() == errc::queue_full);
  limit.queue = 2;
  f.set_limits(limit);
  CHECK(f.queue("reboot")->value);
}

TEST_CASE("a queue that is longer than a lowered limit takes one job that ends those in it") {
  runner_fixture f{limits{}, R"("poweroff":{"stages":[{"service":"s","method":"T.Off"}]},)"};
  f.add_guest(guest_id);
  for (int i = 0; i < 4; ++i)
    f.queue("reboot");
  limits lower;
  lower.queue = 1;
  f.set_limits(lower);
  CHECK(f.queue("reboot")->error->code() == errc::queue_full);
  auto off = f.job("poweroff");
  off.request = R"({"params":{"preempt":true}})";
  const auto taken = f.ask<store::queued_job>(f.front, queue_atom_v, guest_id, off);
  REQUIRE(taken->value);
  CHECK(taken->value->preempted.size() == 4);
}

TEST_CASE_METHOD(runner_fixture, "a database that refuses writes fails what is asked and keeps what was done") {
  add_guest(guest_id);
  const auto running = queue("restart");
  *disk_full = true;
  const auto refused = queue("reboot");
  REQUIRE(refused->error);
  CHECK(refused->error->code() == errc::storage_failed);
  answer_guest(guest_id, "rebooted");
  CHECK(state() == "running");
  CHECK(job_of(running->value->job.id).status == job_status::running);
  advance(3s);
  *disk_full = false;
  advance(2s);
  CHECK(state() == "rebooted");
  CHECK(job_of(running->value->job.id).status == job_status::complete);
  CHECK(sub_agent->calls.empty());
}

TEST_CASE_METHOD(runner_fixture, "a retry that a full disk does not take down runs once there is room") {
  add_guest(guest_id);
  const auto job = queue("restart");
  *disk_full = true;
  answer(R"({"retry":5})");
  advance(10s);
  CHECK(sub_agent->calls.empty());
  *disk_full = false;
  advance(2s);
  advance(5s);
  REQUIRE(sub_agent->calls.size() == 1);
  answer_guest(guest_id, "running");
  CHECK(job_of(job->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "a create that the database refuses leaves no guest and no runner behind") {
  *disk_full = true;
  REQUIRE(create()->error);
  *disk_full = false;
  CHECK(queue("reboot")->error->code() == errc::not_found);
  REQUIRE(create()->value);
}

TEST_CASE_METHOD(runner_fixture, "a runner that dies ends its work visibly and is replaced") {
  add_guest(guest_id);
  const auto job = queue("reboot"), behind = queue("reboot");
  const auto asked = metrics();
  caf::anon_send_exit(runners.at(guest_id), caf::exit_reason::kill);
  run();
  REQUIRE(asked->error);
  CHECK(asked->error->code() == errc::internal);
  CHECK(job_of(job->value->job.id).message == "the runner of the guest ended");
  CHECK(job_of(behind->value->job.id).status == job_status::error);
  sub_agent->calls.clear();
  const auto after = queue("restart");
  REQUIRE(after->value);
  answer_guest(guest_id, "running");
  CHECK(job_of(after->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "after a crash queued jobs run in order and an interrupted one says so") {
  add_guest(guest_id);
  const auto interrupted = queue("reboot"), next = queue("restart");
  answer_guest(guest_id, "stopped"); // stage 2 is out now
  restart();
  const auto job = job_of(interrupted->value->job.id);
  CHECK(job.status == job_status::error);
  CHECK(job.message == "interrupted by an agent restart in stage 2 (T.Start)");
  REQUIRE(sub_agent->calls.size() == 1);
  CHECK(sub_agent->calls.front().call.method == "T.Restart");
  answer_guest(guest_id, "running");
  CHECK(job_of(next->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "after a crash an idempotent stage is sent again") {
  add_guest(guest_id);
  const auto job = queue("restart");
  restart();
  REQUIRE(sub_agent->calls.size() == 1);
  answer_guest(guest_id, "running");
  CHECK(job_of(job->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "after a crash an interrupted create leaves the guest with state error") {
  create();
  restart();
  CHECK(state() == "error");
}

TEST_CASE_METHOD(runner_fixture, "a job that waits for its retry goes on after a crash") {
  add_guest(guest_id);
  const auto job = queue("reboot");
  answer_guest(guest_id, "stopped");
  answer(R"({"retry":60})");
  restart();
  REQUIRE(sub_agent->calls.size() == 1);
  CHECK(sub_agent->calls.front().call.method == "T.Start");
  answer_guest(guest_id, "running");
  CHECK(job_of(job->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "draining lets the running stage finish and begins no other") {
  add_guest(guest_id);
  const auto job = queue("reboot"), behind = queue("restart");
  const auto drained = ask<bool>(front, drain_atom_v);
  CHECK_FALSE(drained->answered());
  CHECK(queue("reboot")->error->code() == errc::unavailable);
  answer_guest(guest_id, "stopped");
  CHECK(drained->answered());
  CHECK(sub_agent->calls.empty());
  CHECK(state() == "stopped");
  restart();
  CHECK(sub_agent->calls.front().call.method == "T.Start");
  answer_guest(guest_id, "running");
  CHECK(job_of(job->value->job.id).status == job_status::complete);
  answer_guest(guest_id, "running");
  CHECK(job_of(behind->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "draining does not wait for a database that refuses writes") {
  add_guest(guest_id);
  queue("restart");
  *disk_full = true;
  answer_guest(guest_id, "rebooted");
  CHECK(ask<bool>(front, drain_atom_v)->answered());
}

TEST_CASE_METHOD(runner_fixture, "image jobs run on the agent's own runner") {
  const auto fetched = ask<store::queued_job>(front, queue_atom_v, std::string{"agent"},
                                              job_request{action("fetchImage"), R"({"id":"i"})", "", ""});
  REQUIRE(fetched->value);
  CHECK(fetched->value->job.guest_id == "agent");
  CHECK(sub_agent->calls.front().call.params == R"({"id":"i"})");
  answer(R"({"images":[]})");
  CHECK(job_of(fetched->value->job.id).status == job_status::complete);
}

TEST_CASE("downloads get their places in order and give them back") {
  limits limit;
  limit.stream = 1;
  runner_fixture f{limit};
  f.add_guest(guest_id);
  const auto wish = [&] { return f.ask<stream_grant>(f.front, stream_atom_v, guest_id, f.action("downloadSnapshot")); };
  const auto first = wish(), second = wish();
  REQUIRE(first->value);
  CHECK(first->value->service == "s");
  CHECK_FALSE(second->answered());
  first->value.reset();
  f.run();
  CHECK(second->value);
}

TEST_CASE("five read a guest's log at a time, and no download stands in their way") {
  runner_fixture f{{}, "", 8};
  f.add_guest(guest_id);
  const auto stream = [&](const char* name) {
    return f.ask<stream_grant>(f.front, stream_atom_v, guest_id, f.action(name));
  };
  std::vector<decltype(stream(""))> readers;
  for (int i = 0; i < 5; ++i)
    REQUIRE(readers.emplace_back(stream("guestLog"))->value);
  const auto download = stream("downloadSnapshot"), sixth = stream("guestLog");
  CHECK(download->value);
  REQUIRE(sixth->error);
  CHECK(sixth->error->code() == rpc::errc::queue_full);
  readers.front()->value.reset();
  f.run();
  CHECK(stream("guestLog")->value);
}

TEST_CASE_METHOD(runner_fixture, "a guest that cannot be stored as it was returned fails the stage") {
  add_guest(guest_id);
  const auto large = queue("reboot"), odd = queue("restart"), after = queue("restart");
  answer(R"({"guest":{"id":")" + guest_id + R"(","note":")" + std::string(100'000, 'x') + R"("}})");
  CHECK(job_of(large->value->job.id).status == job_status::error);
  CHECK(job_of(large->value->job.id).message.find("at most 65536") != std::string::npos);
  answer(R"({"guest":{"id":")" + guest_id + R"(","State":"odd"}})");
  CHECK(job_of(odd->value->job.id).status == job_status::error);
  CHECK(state() == "running");
  answer_guest(guest_id, "up");
  CHECK(job_of(after->value->job.id).status == job_status::complete);
}

TEST_CASE_METHOD(runner_fixture, "a forced delete passes over a stage whose guest cannot be stored") {
  add_guest(guest_id);
  const auto forced = ask<store::queued_job>(front, queue_atom_v, guest_id,
                                             job_request{action("delete"), std::string{forced_delete}, "", ""});
  answer(R"({"guest":{"id":")" + guest_id + R"(","State":"odd"}})");
  CHECK(guests->find(guest_id) == nullptr);
  CHECK(job_of(forced->value->job.id).status == job_status::complete);
}
