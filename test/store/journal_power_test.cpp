#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"

// What the agent starts by itself, and what a guest is wished to be meanwhile.

using namespace mistify;
using namespace mistify::store;
using rpc::job_code;

namespace {

struct power_fixture : journal_fixture {
  rpc::guest guest(const std::string& id = "g") { return rpc::decode_guest(doc(id)); }

  queued_job add(new_job job) {
    return batch([&] { return log->add_job(job); });
  }
  queued_job add_wish(const std::string& job, const std::string& action, const std::string& wanted) {
    new_job made{job, "g", action, "", "", ""};
    made.wanted = wanted;
    return add(made);
  }
  queued_job add_own(const std::string& job, own_start why) {
    new_job made{job, "g", "start", "", "", ""};
    made.wanted = "on";
    made.own = why;
    return add(made);
  }
  void add_running(const std::string& id) {
    add_guest(id);
    complete("create-" + id, guest_state{"running"});
  }
  void note_boot(const ids& guests) {
    batch([&] {
      log->note_boot("b", guests);
      return 0;
    });
  }
  void report(const std::string& state, const std::string& reason = {}) {
    batch([&] { return log->report_state("g", state, reason); });
  }
  void end(const std::string& job, job_code code) {
    record({job, guest_unchanged{}, job_ends{rpc::job_status::error, "why", code}});
  }
};

} // namespace

TEST_CASE_METHOD(power_fixture, "a start by the boot is refused once a client has wished the guest off") {
  add_running("g");
  note_boot({"g"});
  add_wish("off", "poweroff", "off");
  CHECK(failure_of([&] { add_own("start", own_start::boot); }).code() == rpc::errc::not_found);
  CHECK(guest().wanted == "off");
  CHECK(unfinished_ids() == ids{"off"});
}

TEST_CASE_METHOD(power_fixture, "a restart is refused once a client has wished the guest off") {
  add_running("g");
  add_wish("start", "start", "on");
  complete("start", guest_state{"crashed"});
  add_own("again", own_start::restart);
  CHECK(unfinished_ids() == ids{"again"});
  add_wish("off", "poweroff", "off");
  CHECK(failure_of([&] { add_own("once-more", own_start::restart); }).code() == rpc::errc::not_found);
}

TEST_CASE_METHOD(power_fixture,
                 "a guest waits for the start by the boot until one has ended, not if that was interrupted") {
  add_running("g");
  note_boot({"g"});
  add_own("first", own_start::boot);
  start("first");
  crash();
  CHECK(log->boot_starts() == ids{"g"});
  end("first", job_code::interrupted);
  CHECK(log->boot_starts() == ids{"g"});
  add_own("second", own_start::boot);
  crash();
  CHECK(log->boot_starts() == ids{"g"});
  complete("second", guest_state{"running"});
  CHECK(log->boot_starts().empty());
  crash();
  CHECK(log->boot_starts().empty());
}

TEST_CASE_METHOD(power_fixture, "a start by the boot that fails is not tried by it again") {
  add_running("g");
  note_boot({"g"});
  add_own("start", own_start::boot);
  end("start", job_code::no_memory);
  CHECK(log->boot_starts().empty());
}

TEST_CASE_METHOD(power_fixture, "a report of a guest that waits for the start by the boot leaves it wished on") {
  add_running("g");
  add_running("h");
  add_wish("start", "start", "on");
  complete("start", guest_state{"running"});
  note_boot({"g", "h"});
  report("shutoff");
  CHECK(guest().wanted == "on");
  CHECK(log->boot_starts() == ids{"g", "h"});
}

TEST_CASE_METHOD(power_fixture, "a guest that went off because something failed stays wished on") {
  add_running("g");
  add_wish("start", "start", "on");
  complete("start", guest_state{"running"});
  for (const auto* reason : {"failed", "crashed:1", "killed", "oom"}) {
    INFO(reason);
    report("running");
    report("stopped", reason);
    CHECK(guest().wanted == "on");
  }
  report("running");
  report("stopped", "user");
  CHECK(guest().wanted == "off");
}

TEST_CASE_METHOD(power_fixture, "a new boot wishes guests off in the commit that records it") {
  add_running("g");
  add_wish("start", "start", "on");
  complete("start", guest_state{"running"});
  batch([&] {
    log->note_boot("b", {}, {"g", "gone"});
    return 0;
  });
  CHECK(guest().wanted == "off");
  crash();
  CHECK(guest().wanted == "off");
  CHECK(log->boot_id() == "b");
}

TEST_CASE_METHOD(power_fixture, "a create that ends running leaves the wish of a job behind it") {
  rpc::guest up;
  up.id = "g";
  up.state = "running";
  for (const bool keeps : {false, true}) {
    INFO(keeps);
    const auto create = std::string{"create-"} + (keeps ? "2" : "1"), off = "off-" + create;
    add_guest("g", create);
    start(create);
    new_job made{off, "g", "shutdown", keeps ? R"({"keep_wanted":true})" : "", "", ""};
    made.wanted = keeps ? "" : "off";
    add(made);
    record({create, guest_returned{doc("g"), up}, job_ends{}});
    CHECK(guest().wanted == (keeps ? "on" : "off"));
    complete(off);
    add_job("delete-" + create, "g", "delete");
    complete("delete-" + create, guest_removed{});
  }
}

TEST_CASE_METHOD(power_fixture, "a late report of a shutdown that keeps the wish does not overrule that") {
  add_running("g");
  add_wish("on", "start", "on");
  complete("on");
  add({"off", "g", "shutdown", R"({"keep_wanted":true})", "", ""});
  complete("off"); // by a sub-agent that does not wait
  report("shutoff", "shutdown");
  CHECK(guest().state == "shutoff");
  CHECK(guest().wanted == "on");
  add_wish("again", "start", "on");
  complete("again", guest_state{"running"});
  report("shutoff", "shutdown"); // that is the guest's own doing
  CHECK(guest().wanted == "off");
}

TEST_CASE_METHOD(power_fixture, "events of a guest say whether it went off or came on by that change") {
  std::vector<std::pair<std::string, power_turn>> turns;
  const auto listening = feed.listen([&, seen = feed.last()]() mutable {
    const auto news = feed.after(seen, 100);
    REQUIRE(news);
    for (const auto& one : *news)
      if (one->type == event_type::guest_changed)
        turns.emplace_back(one->text + ':' + one->reason, static_cast<power_turn>(one->number));
    seen = feed.last();
  });
  add_running("g");
  report("crashed", "panic");
  report("crashed", "killed");
  report("shutoff", "killed");
  batch([&] { return log->patch_guest_metadata("g", {{"a", "b"}}); });
  report("running");
  report("paused");
  using enum power_turn;
  CHECK(turns == std::vector<std::pair<std::string, power_turn>>{{"running:", came_on},
                                                                 {"crashed:panic", went_off},
                                                                 {"crashed:killed", none},
                                                                 {"shutoff:killed", none},
                                                                 {"shutoff:killed", none},
                                                                 {"running:", came_on},
                                                                 {"paused:", none}});
}

TEST_CASE_METHOD(power_fixture, "a start behind a create is queued only if the guest is still wished on then") {
  rpc::guest made;
  made.id = "g";
  made.wanted = "on";
  batch([&] { return log->add_guest(made, {"create", "g", "create", "", "", "d"}); });
  start("create");
  job_step step{"create", guest_state{"shutoff"}, job_ends{}};
  step.queues = new_job{"start", "g", "start", "", "", ""};
  SECTION("it is") {
    add_wish("later", "reboot", "on");
    CHECK(record(step).queued > 0);
    CHECK(unfinished_ids() == ids{"later", "start"});
  }
  SECTION("a poweroff was accepted meanwhile") {
    add_wish("later", "poweroff", "off");
    CHECK(record(step).queued == 0);
    CHECK(unfinished_ids() == ids{"later"});
    CHECK(guest().wanted == "off");
  }
}

TEST_CASE_METHOD(power_fixture, "an event of a guest has the reason that was stored, not the one that was echoed") {
  add_guest("g");
  complete("create-g", guest_state{"shutoff", "shutdown"});
  add_job("s", "g", "start");
  start("s");
  auto echoed = guest();
  echoed.state = "running";
  const auto sent = doc("g"), long_reason = std::string(100, 'x');
  record({"s", guest_returned{sent, echoed}, stage_starts{1, "Svc.Next"}});
  echoed.state_reason = long_reason;
  complete("s", guest_returned{doc("g"), echoed});
  std::vector<std::string> reasons;
  const auto told = feed.after(0, 100);
  REQUIRE(told);
  for (const auto& one : *told)
    if (one->type == event_type::guest_changed)
      reasons.push_back(one->reason);
  CHECK(reasons == std::vector<std::string>{"shutdown", "", guest().state_reason});
  CHECK(guest().state_reason.size() <= 64);
}

TEST_CASE_METHOD(power_fixture, "the event of a queued job says whether the agent starts the guest by itself") {
  add_running("g");
  new_job by_client{"client", "g", "start", "", "", ""};
  by_client.wanted = "on";
  by_client.user = "agent"; // an identity may be called so
  add(by_client);
  add_own("own", own_start::restart);
  std::vector<std::int64_t> numbers;
  const auto told = feed.after(0, 100);
  REQUIRE(told);
  for (const auto& one : *told)
    if (one->type == event_type::job_queued && one->action == "start")
      numbers.push_back(one->number);
  CHECK(numbers == std::vector<std::int64_t>{static_cast<std::int64_t>(own_start::none),
                                             static_cast<std::int64_t>(own_start::restart)});
}
