#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace mistify::store;
using namespace std::chrono_literals;
using rpc::job_code;
using rpc::stage_outcome;

namespace {

struct wish_fixture : journal_fixture {
  rpc::guest guest(const std::string& id = "g") { return rpc::decode_guest(doc(id)); }

  queued_job add(new_job job) {
    return batch([&] { return log->add_job(job); });
  }
  queued_job add_wish(const std::string& job, const std::string& action, const std::string& wanted) {
    new_job made{job, "g", action, "", "", ""};
    made.wanted = wanted;
    return add(made);
  }
  queued_job add_preempting(const std::string& job, const std::string& action) {
    new_job made{job, "g", action, "", "", ""};
    made.preempts = true;
    return add(made);
  }
  void add_running(const std::string& id) {
    add_guest(id);
    complete("create-" + id, guest_state{"running"});
  }
  void report(const std::string& state, const std::string& reason = {}) {
    batch([&] { return log->report_state("g", state, reason); });
  }
  recorded_step run(const std::string& job, std::size_t stage, const std::string& method) {
    return record({job, guest_unchanged{}, stage_starts{stage, method, "svc", 2}});
  }
  void end(const std::string& job, job_code code) {
    record({job, guest_unchanged{}, job_ends{rpc::job_status::error, "why", code}});
  }
};

} // namespace

TEST_CASE_METHOD(wish_fixture, "a job that preempts ends what runs and waits in its own commit, but for deletes") {
  add_guest("g");
  complete("create-g", guest_state{"running"});
  add_job("runs", "g");
  start("runs");
  add_job("waits", "g");
  add_job("goes", "g", "delete");
  const auto queued = add_preempting("off", "poweroff");
  CHECK(queued.preempted.size() == 2);
  for (const auto* id : {"runs", "waits"}) {
    CHECK(job(id).code == job_code::preempted);
    CHECK(job(id).message == "preempted by poweroff");
    CHECK(rpc::is_retryable(job(id).code));
  }
  CHECK(unfinished_ids() == ids{"goes", "off"});
  crash();
  CHECK(unfinished_ids() == ids{"goes", "off"});
}

TEST_CASE_METHOD(wish_fixture, "a create that is preempted leaves its guest in error") {
  add_guest("g");
  start("create-g");
  add_preempting("gone", "delete");
  CHECK(guest().state == "error");
  CHECK(job("create-g").code == job_code::preempted);
}

TEST_CASE_METHOD(wish_fixture, "a second delete that preempts ends what is before the first one, which answers it") {
  add_guest("g");
  complete("create-g");
  add_job("before", "g");
  add_job("first", "g", "delete");
  const auto second = add_preempting("second", "delete");
  CHECK(second.repeated);
  CHECK(second.job.id == "first");
  CHECK(second.preempted.size() == 1);
  CHECK(job("before").code == job_code::preempted);
}

TEST_CASE_METHOD(wish_fixture, "what a guest is wished to be is written with the job that wishes it") {
  add_guest("g");
  complete("create-g", guest_state{"running"});
  add_wish("start", "start", "on");
  CHECK(guest().wanted == "on");
  add_job("suspend", "g", "suspend");
  CHECK(guest().wanted == "on");
  add_wish("off", "poweroff", "off");
  CHECK(guest().wanted == "off");
  crash();
  CHECK(guest().wanted == "off");
}

TEST_CASE_METHOD(wish_fixture, "a guest from before wishes is wished as it is") {
  add_guest("g");
  complete("create-g", guest_state{"running"});
  add_guest("h");
  complete("create-h", guest_state{"shutoff"});
  reopen();
  CHECK(guest().wanted == "on");
  CHECK(guest("h").wanted == "off");
}

TEST_CASE_METHOD(wish_fixture, "a create that ends running wishes its guest on") {
  add_guest("g");
  start("create-g");
  rpc::guest up;
  up.id = "g";
  up.state = "running";
  record({"create-g", guest_returned{doc("g"), up}, job_ends{}});
  CHECK(guest().wanted == "on");
}

TEST_CASE_METHOD(wish_fixture, "a guest that shuts itself down is wished off, unless it is to run always") {
  for (const auto* rule : {"on-crash", "always"}) {
    INFO(rule);
    const auto create = std::string{"create-"} + rule;
    rpc::guest made;
    made.id = "g";
    made.wanted = "on";
    made.extra["power"] = R"({"restart":")" + std::string{rule} + "\"}";
    batch([&] { return log->add_guest(made, {create, "g", "create", "", "", "d"}); });
    complete(create, guest_state{"running"});
    report("crashed", "panic");
    CHECK(guest().wanted == "on");
    CHECK(guest().state_reason == "panic");
    report("running");
    CHECK(guest().state_reason.empty());
    report("shutoff", "shutdown");
    CHECK(guest().wanted == (std::string{rule} == "always" ? "on" : "off"));
    add_job("delete-" + create, "g", "delete");
    complete("delete-" + create, guest_removed{});
  }
}

TEST_CASE_METHOD(wish_fixture, "a stage cannot undo what is the agent's to say, nor keep a reason for another state") {
  rpc::guest made;
  made.id = "g";
  made.wanted = "on";
  made.extra["power"] = R"({"boot":"on"})";
  batch([&] { return log->add_guest(made, {"create-g", "g", "create", "", "", "d"}); });
  complete("create-g", guest_state{"shutoff", "shutdown"});
  add_job("start", "g", "start");
  start("start");
  rpc::guest old; // of a sub-agent that knows no such members, but echoes the reason
  old.id = "g";
  old.state = "running";
  old.state_reason = "shutdown";
  complete("start", guest_returned{doc("g"), old});
  CHECK(guest().wanted == "on");
  CHECK(guest().extra.at("power") == R"({"boot":"on"})");
  CHECK(guest().state == "running");
  CHECK(guest().state_reason.empty());
}

TEST_CASE_METHOD(wish_fixture, "a guest whose machine is missing is created once more by the same request") {
  add_guest("g", "first");
  complete("first", guest_state{"running"});
  report("unknown", "missing");
  const auto again = add_guest("g", "again");
  CHECK_FALSE(again.repeated);
  CHECK(again.job.id == "again");
  CHECK(guest().state == "create");
  CHECK(guest().state_reason.empty());
  CHECK(add_guest("g", "third").job.id == "again");
  complete("again", guest_state{"unknown", "missing"});
  CHECK_THROWS_AS(add_guest("g", "other", "another digest"), rpc::failure);
}

TEST_CASE_METHOD(wish_fixture, "a job that ends may queue another one of its guest in the same step") {
  add_guest("g");
  start("create-g");
  job_step step{"create-g", guest_unchanged{}, job_ends{}};
  step.queues = new_job{"start", "g", "start", "", "", "", "request-7"};
  step.queues->user = "ann";
  CHECK(record(step).queued > 0);
  CHECK(job("start").request_id == "request-7");
  CHECK(job("start").user == "ann");
  crash();
  CHECK(unfinished_ids() == ids{"start"});
}

TEST_CASE_METHOD(wish_fixture, "a job has the stages that began, with their times and outcomes") {
  add_guest("g");
  run("create-g", 0, "S.One");
  CHECK(job("create-g").stages.size() == 1);
  CHECK(job("create-g").stage_count == 2);
  record({"create-g", guest_unchanged{}, stage_paused{0}}); // it asked to be run again
  run("create-g", 0, "S.One");
  CHECK(job("create-g").stages.size() == 1);
  run("create-g", 1, "S.Two");
  end("create-g", job_code::timeout);
  const auto ended = job("create-g");
  REQUIRE(ended.stages.size() == 2);
  CHECK(ended.stages[0].service == "svc");
  CHECK(ended.stages[0].method == "S.One");
  CHECK(ended.stages[0].outcome == stage_outcome::ok);
  CHECK(ended.stages[0].ended > ended.stages[0].started);
  CHECK(ended.stages[1].outcome == stage_outcome::timeout);
  CHECK(ended.code == job_code::timeout);
}

TEST_CASE_METHOD(wish_fixture, "until when a stage has its time, and where it turned off, survives a crash") {
  add_guest("g");
  complete("create-g");
  add_job("s", "g", "shutdown");
  record({"s", guest_unchanged{}, stage_starts{0, "S.Shutdown", "svc", 1, {"boot", 77s}}});
  record({"s", guest_unchanged{}, stage_paused{0}});
  crash();
  auto left = log->unfinished();
  REQUIRE(left.size() == 1);
  CHECK(left[0].due.boot == "boot");
  CHECK(left[0].due.since == 77s);
  CHECK(left[0].detour == 0);
  job_step late{"s", guest_unchanged{}, stage_paused{1, 1}, "late"};
  late.timed_out = true;
  record(late);
  crash();
  left = log->unfinished();
  CHECK(left.at(0).detour == 1);
  CHECK(job("s").stages.at(0).outcome == stage_outcome::timeout);
}

TEST_CASE_METHOD(wish_fixture, "the boot of the host and whom it starts are remembered until each has its start") {
  CHECK(log->boot_id().empty());
  for (const auto* id : {"g", "h", "i"}) {
    add_guest(id);
    complete(std::string{"create-"} + id);
  }
  batch([&] {
    log->note_boot("b", {"g", "h", "i"});
    return 0;
  });
  crash();
  CHECK(log->boot_id() == "b");
  CHECK(log->boot_starts() == ids{"g", "h", "i"});
  add_wish("start", "start", "on");
  batch([&] {
    log->boot_start_done("h");
    return 0;
  });
  add_job("delete", "i", "delete");
  complete("delete", guest_removed{});
  CHECK(log->boot_starts().empty());
  crash();
  CHECK(log->boot_starts().empty());
}

TEST_CASE_METHOD(wish_fixture, "jobs are found by guest, action, status, code and time") {
  add_guest("g");
  complete("create-g");
  add_guest("h");
  complete("create-h");
  add_job("a", "g", "reboot");
  add_job("b", "g", "start");
  add_job("c", "h", "reboot");
  start("a");
  end("a", job_code::no_space);
  const job_reader reader{path};
  const auto find = [&](const job_filter& which) {
    ids found;
    for (const auto& one : reader.latest(which, 10))
      found.push_back(one.id);
    return found;
  };
  CHECK(find({.guest = "g", .action = "reboot"}) == ids{"a"});
  CHECK(find({.guest = "", .action = "reboot"}) == ids{"c", "a"});
  CHECK(find({.guest = "", .action = "", .status = rpc::job_status::queued}) == ids{"c", "b"});
  CHECK(find({.guest = "", .action = "", .code = job_code::no_space}) == ids{"a"});
  const auto time = job("b").queued_at;
  CHECK(find({.guest = "", .action = "", .since = time}) == ids{"c", "b"});
  CHECK(find({.guest = "", .action = "reboot", .before = time}) == ids{"a"});
  CHECK(reader.latest({.guest = "", .action = "reboot"}, 1).size() == 1);
}

TEST_CASE_METHOD(wish_fixture, "progress is kept until the next step") {
  add_guest("g");
  start("create-g");
  batch([&] { return log->report_progress("create-g", {"", rpc::job_progress{5, 10, "MB"}}); });
  REQUIRE(job("create-g").progress);
  CHECK(job("create-g").progress->done == 5U);
  CHECK(job("create-g").progress->total == 10U);
  CHECK(job("create-g").progress->unit == "MB");
  start("create-g", 1);
  CHECK_FALSE(job("create-g").progress);
}

TEST_CASE_METHOD(wish_fixture, "jobs are shown newest first until the visitor has enough") {
  add_running("g");
  add_running("h");
  add_job("a", "g");
  end("a", job_code::no_space);
  add_job("b", "h");
  const job_reader reader{path};
  ids all;
  reader.visit("", [&](const rpc::job& one, const auto*) {
    all.push_back(one.id);
    return one.id != "a";
  });
  CHECK(all == ids{"b", "a"});
  all.clear();
  reader.visit("g", [&](const rpc::job& one, const auto*) {
    CHECK(one.guest_id == "g");
    CHECK(matches({.guest = "g", .action = one.action, .status = one.status, .code = one.code}, one));
    all.push_back(one.id);
    return true;
  });
  CHECK(all == ids{"a", "create-g"});
}
