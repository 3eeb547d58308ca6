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
