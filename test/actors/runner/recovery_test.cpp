#include "actors/runner/pipeline.hpp"
#include "actors/runner/recovery.hpp"
#include "test/store/fixture.hpp"

#include "rpc/base/log.hpp"
#include "rpc/model/codec.hpp"

using namespace mistify;
using namespace std::chrono_literals;
using store::guest_unchanged;
using store::ids;
using store::stage_paused;
using store::stage_starts;

namespace {

std::string config_with(const std::string& more) {
  return R"({"services":{"a":{"port":1}},"actions":{
    "create":{"stages":[]},
    "reboot":{"stages":[{"service":"a","method":"T.Reboot","args":{"wait":"60"}}]},
    "poweroff":{"stages":[{"service":"a","method":"T.Off","idempotent":true}]})" +
         more + "}}";
}

/// A log with jobs that a crash interrupts, and what the next start makes of them.
struct recovery_fixture : store::journal_fixture {
  recovery_fixture() {
    rpc::log::set_level("fatal");
    rpc::log::set_audit(false);
  }

  actors::config settings = actors::parse_config(
    {{"test", config_with(R"(,"start":{"stages":[{"service":"a","method":"T.Start","idempotent":true}]})")}});
  rpc::metrics::registry registry;
  actors::runner_metrics measured{registry};

  /// Returns the ids of the jobs that go on after a crash.
  ids recovered() {
    crash();
    ids going_on;
    for (const auto& one : actors::recover_jobs(*log, *published, settings, measured.jobs))
      going_on.push_back(one.job.id);
    return going_on;
  }
  actors::boot_plan note_boot(const std::string& boot) { return actors::note_boot(*log, *published, boot); }
  ids to_start(const std::string& boot) {
    ids guests;
    for (const auto& one : note_boot(boot).starts)
      guests.push_back(one.guest);
    return guests;
  }

  void add_wished(const std::string& id, const std::string& wanted, const std::string& boot = "last") {
    rpc::guest guest;
    guest.id = id;
    guest.wanted = wanted;
    guest.extra["power"] = R"({"boot":")" + boot + "\"}";
    batch([&] { return log->add_guest(guest, {"create-" + id, id, "create", "", "", "d"}); });
    complete("create-" + id, store::guest_state{"running"});
  }
  std::string wanted(const std::string& id) { return rpc::decode_guest(doc(id)).wanted; }
  void add_start(const std::string& job, const std::string& guest) {
    store::new_job made{job, guest, "start", "", "", ""};
    made.wanted = "on";
    made.own = store::own_start::boot;
    batch([&] { return log->add_job(made); });
  }
  /// A reboot has called its stage.
  void call_reboot() { record({"r", guest_unchanged{}, stage_starts{0, "T.Reboot", "a", 1, {"boot", 77s}}}); }
};

} // namespace

TEST_CASE_METHOD(recovery_fixture, "a stage that has its time is called again if it has asked for that before") {
  add_wished("g", "on");
  add_job("r", "g");
  call_reboot();
  SECTION("it has") {
    record({"r", guest_unchanged{}, stage_paused{0}});
    call_reboot();
    CHECK(recovered() == ids{"r"});
  }
  SECTION("it has not: nobody knows what came of the call") {
    CHECK(recovered().empty());
    CHECK(job("r").code == rpc::job_code::interrupted);
  }
}

TEST_CASE_METHOD(recovery_fixture, "a call counts as made once it was answered: the first one may never have arrived") {
  add_wished("g", "on");
  add_job("r", "g");
  const auto place_after_crash = [this] {
    crash();
    return actors::place_of(log->unfinished().at(0));
  };
  for (int i = 0; i < 2; ++i) { // the second one as well
    call_reboot();
    const auto place = place_after_crash();
    CHECK_FALSE(place.called);
    CHECK(place.begun);
    CHECK(place.due.since == 77s);
  }
  record({"r", guest_unchanged{}, stage_paused{0}}); // it asked for a repetition
  call_reboot();
  const auto place = place_after_crash();
  CHECK(place.called);
  CHECK(place.due.since == 77s);
}

TEST_CASE_METHOD(recovery_fixture, "the poweroff and the start of a late reboot are called again") {
  add_wished("g", "on");
  add_job("r", "g");
  call_reboot();
  for (const auto& [index, method] : {std::pair{std::size_t{1}, "T.Off"}, {std::size_t{2}, "T.Start"}}) {
    record({"r", guest_unchanged{}, stage_starts{index, method, "a", 3, {}, 1}});
    CHECK(recovered() == ids{"r"});
  }
}

TEST_CASE_METHOD(recovery_fixture, "a job whose follow-up is not configured any more fails") {
  add_wished("g", "on");
  add_job("r", "g");
  call_reboot();
  record({"r", guest_unchanged{}, stage_paused{2, 1}});
  settings = actors::parse_config({{"test", config_with("")}});
  CHECK(recovered().empty());
  CHECK(job("r").status == rpc::job_status::error);
  CHECK(job("r").message == "what should follow a late reboot is not configured any more");
}

TEST_CASE_METHOD(recovery_fixture,
                 "a new boot starts guests by their rules, and wishes off those that it must not start") {
  CHECK(to_start("first").empty());
  add_wished("last-on", "on");
  add_wished("last-off", "off");
  add_wished("on-off", "off", "on");
  add_wished("off-on", "on", "off");
  CHECK(to_start("first").empty());
  CHECK(wanted("off-on") == "on");
  CHECK(to_start("second") == ids{"last-on", "on-off"});
  CHECK(wanted("off-on") == "off");
  CHECK(wanted("last-on") == "on");
  CHECK(to_start("second") == ids{"last-on", "on-off"}); // the agent was restarted
}

TEST_CASE_METHOD(recovery_fixture, "a boot does not start a guest whose create failed") {
  note_boot("first");
  for (const auto* rule : {"last", "on"}) {
    rpc::guest guest;
    guest.id = rule;
    guest.wanted = "on";
    guest.extra["power"] = R"({"boot":")" + std::string{rule} + "\"}";
    batch([&] { return log->add_guest(guest, {guest.id, guest.id, "create", "", "", "d"}); });
    record({guest.id, store::guest_state{"error"}, store::job_ends{rpc::job_status::error, "no"}});
  }
  CHECK(to_start("second").empty());
}

TEST_CASE_METHOD(recovery_fixture, "a second boot starts also those that the first one had not yet started") {
  add_wished("g", "on");
  add_wished("h", "on");
  note_boot("first");
  note_boot("second");
  batch([&] { return log->report_state("g", "shutoff"); });
  CHECK(to_start("third") == ids{"g", "h"});
}

TEST_CASE_METHOD(recovery_fixture, "an unknown boot is none") {
  add_wished("g", "on");
  note_boot("first");
  CHECK(to_start("").empty());
  CHECK(log->boot_id() == "first");
}

TEST_CASE_METHOD(recovery_fixture, "a start by the boot that a crash interrupts goes on, or is queued anew") {
  add_wished("g", "on");
  note_boot("first");
  note_boot("second");
  add_start("s", "g");
  start("s");
  SECTION("it may be sent again") {
    CHECK(recovered() == ids{"s"});
    const auto plan = note_boot("second");
    REQUIRE(plan.starts.size() == 1);
    CHECK(plan.starts[0].guest == "g");
    CHECK(plan.starts[0].job == "s");
  }
  SECTION("it may not") {
    settings =
      actors::parse_config({{"test", config_with(R"(,"start":{"stages":[{"service":"a","method":"T.Start"}]})")}});
    CHECK(recovered().empty());
    CHECK(job("s").code == rpc::job_code::interrupted);
    const auto plan = note_boot("second");
    REQUIRE(plan.starts.size() == 1);
    CHECK(plan.starts[0].job.empty());
  }
}
