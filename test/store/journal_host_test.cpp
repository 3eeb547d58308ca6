#include "fixture.hpp"

#include "rpc/model/codec.hpp"

#include <algorithm>

using namespace mistify;
using namespace mistify::store;

namespace {

struct host_fixture : journal_fixture {
  rpc::guest guest(const std::string& id, std::uint64_t memory, std::uint64_t disk = 0) {
    rpc::guest made;
    made.id = id;
    made.state = "create";
    made.memory = memory;
    made.cpu = 1;
    if (disk > 0)
      made.disks.emplace_back().size = disk;
    return made;
  }

  /// Queues the create, without completing it.
  void create(const rpc::guest& made) {
    batch([&] { return log->add_guest(made, {"create-" + made.id, made.id, "create", "", "", "digest"}); });
  }

  /// A guest that is there and off.
  void create_off(const rpc::guest& made) {
    create(made);
    set_state(made.id, "shutoff");
  }

  void set_state(const std::string& id, const std::string& state) { complete("create-" + id, guest_state{state}); }

  std::string refusal(const std::function<void()>& work) {
    const auto why = failure_of(work);
    return std::string{rpc::to_string(why.code())} + ": " + why.message();
  }
};

constexpr auto full = "conflict: memory: 600 MB asked for, 400 MB left of 1000 MB (600 MB taken)";

} // namespace

TEST_CASE("a create that is larger than the host is refused with the numbers, and stores nothing") {
  host_fixture f;
  f.limits = host_limits{1000, 2, 5000};
  CHECK(f.refusal([&] { f.create(f.guest("a", 1001)); }) ==
        "conflict: memory: 1001 MB asked for, 1000 MB left of 1000 MB (0 MB taken)");
  auto many = f.guest("a", 1);
  many.cpu = 3;
  CHECK(f.refusal([&] { f.create(many); }) == "conflict: processors: 3 asked for, 2 left of 2 (0 taken)");
  CHECK(f.published->size() == 0);
  CHECK(f.logged_ids().empty());
  f.create(f.guest("a", 1000));
  CHECK(f.board.sums().promised.memory == 1000);
  CHECK(f.board.sums().allocated.memory == 0);
}

TEST_CASE("disks of all guests count at a create") {
  host_fixture f;
  f.limits = host_limits{1000, 4, 5000};
  f.create(f.guest("a", 1, 3000));
  CHECK(f.refusal([&] { f.create(f.guest("b", 1, 2001)); }) ==
        "conflict: disk space: 2001 MB asked for, 2000 MB left of 5000 MB (3000 MB taken)");
  f.create(f.guest("b", 1, 2000));
  CHECK(f.board.sums().disk == 5000);
}

TEST_CASE("creates of one batch are judged one after the other") {
  host_fixture f;
  f.limits = host_limits{1000, 4, 100};
  f.log->begin();
  f.log->add_guest(f.guest("a", 1, 60), {"1", "a", "create", "", "", ""});
  CHECK_THROWS(f.log->add_guest(f.guest("b", 1, 60), {"2", "b", "create", "", "", ""}));
  f.log->commit();
  CHECK(f.published->size() == 1);
}

TEST_CASE("what a batch that failed would have taken is given back") {
  host_fixture f;
  f.limits = host_limits{1000, 4, 100};
  f.fail_commit = true;
  CHECK_THROWS(f.create(f.guest("a", 1, 60)));
  CHECK(f.board.sums().disk == 0);
  f.create(f.guest("b", 1, 60));
  CHECK(f.board.sums().disk == 60);
  CHECK(f.board.sums().guests == 1);
}

TEST_CASE("starts share the memory of the guests that run, from the moment they are queued") {
  host_fixture f;
  f.limits = host_limits{1000, 4, {}};
  f.create_off(f.guest("a", 600));
  f.create_off(f.guest("b", 600));
  f.add_job("start-a", "a", "start");
  CHECK(f.board.sums().allocated.memory == 600);
  CHECK(f.refusal([&] { f.add_job("start-b", "b", "start"); }) == full);
  CHECK(f.refusal([&] { f.add_job("restart-b", "b", "restart"); }) == full);
  f.add_job("again-a", "a", "start"); // it counts already
  f.complete("start-a", guest_state{"running"});
  f.complete("again-a");
  CHECK(f.board.sums().allocated.memory == 600);
  CHECK(f.board.sums().running == 1);
  CHECK(f.refusal([&] { f.add_job("start-b", "b", "start"); }) == full);
  f.add_job("off", "a", "poweroff");
  f.complete("off", guest_state{"shutoff"});
  CHECK(f.board.sums().allocated.memory == 0);
  f.add_job("start-b", "b", "start");
}

TEST_CASE("a start that fails gives its memory back") {
  host_fixture f;
  f.limits = host_limits{1000, 4, {}};
  f.create_off(f.guest("a", 600));
  f.add_job("start-a", "a", "start");
  f.record({"start-a", guest_unchanged{}, job_ends{rpc::job_status::error, "no"}});
  CHECK(f.board.sums().allocated.memory == 0);
}

TEST_CASE("a delete takes the guest and its queued starts out of the sums") {
  host_fixture f;
  f.create_off(f.guest("a", 600, 10));
  f.add_job("start-a", "a", "start");
  f.add_job("delete-a", "a", "delete");
  f.complete("delete-a", guest_removed{});
  CHECK(f.board.sums() == host_sums{});
}

TEST_CASE("the sums are the same after a crash") {
  host_fixture f;
  f.create_off(f.guest("a", 600, 10));
  f.create_off(f.guest("b", 300, 20));
  f.create(f.guest("c", 100, 30));
  f.add_job("start-a", "a", "start");
  const auto before = f.board.sums();
  CHECK(before.allocated.memory == 600);
  f.board.put(host_sums{});
  f.crash();
  CHECK(f.board.sums() == before);
}

TEST_CASE("a MAC address and a VNC port belong to one living guest") {
  host_fixture f;
  auto first = f.guest("a", 1);
  first.nics.emplace_back().mac = "52:54:00:AA:bb:01";
  first.vnc = 5901;
  f.create(first);
  auto second = f.guest("b", 1);
  second.nics.emplace_back().mac = "52:54:00:aa:BB:01";
  CHECK(f.refusal([&] { f.create(second); }) == "conflict: the MAC address 52:54:00:aa:bb:01 is another guest's");
  second.nics[0].mac = "52:54:00:aa:bb:02";
  second.vnc = 5901;
  CHECK(f.refusal([&] { f.create(second); }) == "conflict: the VNC port 5901 is another guest's");
  second.vnc = -1; // any port
  second.nics.push_back(second.nics[0]);
  CHECK(f.refusal([&] { f.create(second); }) == "conflict: the MAC address 52:54:00:aa:bb:02 is in the guest twice");
  f.set_state("a", "shutoff");
  f.add_job("delete-a", "a", "delete");
  f.complete("delete-a", guest_removed{});
  second.nics.pop_back();
  second.nics[0].mac = "52:54:00:aa:bb:01";
  f.create(second);
}

TEST_CASE("maintenance refuses creates and starts, and nothing else, also after a crash") {
  host_fixture f;
  f.create_off(f.guest("a", 1));
  f.batch([&] { return f.log->set_maintenance({true, "a new disk"}); });
  f.crash();
  const std::string why = "unavailable: the host is in maintenance: a new disk";
  CHECK(f.board.maintenance().reason == "a new disk");
  CHECK(f.refusal([&] { f.create(f.guest("b", 1)); }) == why);
  CHECK(f.refusal([&] { f.add_job("s", "a", "start"); }) == why);
  CHECK(f.refusal([&] { f.add_job("s", "a", "containerStart"); }) == why);
  f.add_job("r", "a", "restart");
  f.add_job("d", "a", "delete");
  const auto since = f.board.maintenance().since;
  f.batch([&] { return f.log->set_maintenance({true, "still"}); });
  CHECK(f.board.maintenance().since == since);
  f.batch([&] { return f.log->set_maintenance({false, "over"}); });
  CHECK_FALSE(f.board.maintenance().on);
  CHECK(f.board.maintenance().reason.empty());
  f.create(f.guest("b", 1));
}

TEST_CASE("a repeated create gets its first answer during maintenance too") {
  host_fixture f;
  f.create(f.guest("a", 1));
  f.batch([&] { return f.log->set_maintenance({true, ""}); });
  CHECK(f.batch([&] {
           return f.log->add_guest(f.guest("a", 1), {"other", "a", "create", "", "", "digest"});
         })
          .job.id == "create-a");
}

TEST_CASE("a start behind an update is judged by the size that the guest will have, also after a crash") {
  host_fixture f;
  f.limits = host_limits{1000, 4, {}};
  f.create_off(f.guest("a", 400));
  f.create_off(f.guest("b", 400));
  f.batch([&] { return f.log->add_job({"grow", "a", "update", R"({"memory":700})", "", ""}); });
  f.add_job("start-a", "a", "start");
  const auto before = f.board.sums();
  CHECK(before.allocated.memory == 700);
  CHECK(f.refusal([&] { f.add_job("start-b", "b", "start"); }) ==
        "conflict: memory: 400 MB asked for, 300 MB left of 1000 MB (700 MB taken)");
  f.crash();
  CHECK(f.board.sums() == before);
  f.record({"grow", guest_unchanged{}, job_ends{rpc::job_status::error, "no"}});
  CHECK(f.board.sums().allocated.memory == 400);
}

TEST_CASE("a guest whose update does not fit beside those that run does not start behind it") {
  host_fixture f;
  f.limits = host_limits{1000, 4, {}};
  f.create_off(f.guest("a", 500));
  f.create_off(f.guest("b", 400));
  f.add_job("start-b", "b", "start");
  f.batch([&] { return f.log->add_job({"grow", "a", "update", R"({"memory":700})", "", ""}); });
  CHECK_THAT(f.refusal([&] { f.add_job("start-a", "a", "start"); }), Catch::StartsWith("conflict: memory: 500 MB"));
}

TEST_CASE("the MAC address of a nic that is to be attached is taken until its job ends, also after a crash") {
  host_fixture f;
  f.create_off(f.guest("a", 1));
  f.create_off(f.guest("b", 1));
  const auto attach = [&](const std::string& job, const std::string& guest) {
    f.batch([&] { return f.log->add_job({job, guest, "attachNic", R"({"mac":"52:54:00:AA:00:01"})", "", ""}); });
  };
  const std::string why = "conflict: the MAC address 52:54:00:aa:00:01 is another guest's";
  attach("one", "a");
  CHECK(f.refusal([&] { attach("two", "b"); }) == why);
  f.crash();
  CHECK(f.refusal([&] { attach("two", "b"); }) == why);
  f.record({"one", guest_unchanged{}, job_ends{rpc::job_status::error, "no"}});
  attach("two", "b");
}

TEST_CASE("what happens to a volume at once does not wait for the next start of a guest that runs") {
  host_fixture f;
  f.create_off(f.guest("a", 1, 10));
  const auto change = [&](const std::string& action, const std::string& wish) {
    f.batch([&] { return f.log->add_job({action + wish, "a", action, wish, "", ""}); });
  };
  change("resizeDisk", R"({"size":20,"apply":"next-start"})");
  f.add_job("start-a", "a", "start");
  f.complete("start-a", guest_state{"running"});
  const std::string why = "conflict: apply: of a guest that runs, this is possible at once only";
  CHECK(f.refusal([&] { change("resizeDisk", R"({"size":30,"apply":"next-start"})"); }) == why);
  CHECK(f.refusal([&] { change("detachDisk", R"({"disk":1,"delete":true,"apply":"next-start"})"); }) == why);
  change("detachDisk", R"({"disk":1,"apply":"next-start"})");
  change("detachDisk", R"({"disk":1,"delete":true,"apply":"either"})");
}

TEST_CASE("a resume is a start for a guest that hibernates, and none for one that is paused") {
  host_fixture f;
  f.limits = host_limits{1000, 4, 100};
  f.create_off(f.guest("off", 600));
  f.create_off(f.guest("paused", 600));
  f.complete(f.add_job("s", "paused", "start").job.id, guest_state{"paused"});
  CHECK(f.refusal([&] { f.add_job("r", "off", "resume"); }) == full);
  f.limits.reset();
  f.batch([&] { return f.log->set_maintenance({true, ""}); });
  f.add_job("p", "paused", "resume");
  f.add_job("r", "off", "resume"); // maintenance refuses starts only
  f.batch([&] { return f.log->set_maintenance({}); });
  f.add_job("c", "off", "containerResume");
  CHECK(f.board.sums().allocated.memory == 1200);
}

TEST_CASE("a start behind a create is judged too: without room the create stands, and an event says why") {
  host_fixture f;
  f.limits = host_limits{1000, 4, 100};
  f.create_off(f.guest("a", 600));
  f.complete(f.add_job("s", "a", "start").job.id, guest_state{"running"});
  const auto create_and_start = [&](const std::string& id) {
    f.create(f.guest(id, 600));
    job_step step{"create-" + id, guest_state{"shutoff"}, job_ends{}};
    step.queues = new_job{"start-" + id, id, "start", "", "", ""};
    return f.record(step).queued;
  };
  const auto before = f.feed.last();
  CHECK(create_and_start("b") == 0);
  CHECK(f.job("create-b").status == rpc::job_status::complete);
  CHECK(f.unfinished_ids().empty());
  CHECK(f.job("start-b").code == rpc::job_code::no_memory);
  CHECK("conflict: " + f.job("start-b").message == full);
  const auto told = f.feed.after(before, 100);
  REQUIRE(told);
  CHECK(std::ranges::count_if(*told, [](const event_ptr& one) {
          return one->type == event_type::guest_power && one->guest == "b" &&
                 one->text == "is not started: " + std::string{full}.substr(std::string{"conflict: "}.size());
        }) == 1);
  f.complete(f.add_job("o", "a", "poweroff").job.id, guest_state{"shutoff"});
  CHECK(create_and_start("c") > 0);
  CHECK(f.board.sums().allocated.memory == 600);
}

TEST_CASE("a start behind a create that completes during maintenance ends in an error that says so") {
  host_fixture f;
  f.create(f.guest("a", 1));
  f.batch([&] { return f.log->set_maintenance({true, "a new disk"}); });
  job_step step{"create-a", guest_state{"shutoff"}, job_ends{}};
  step.queues = new_job{"start-a", "a", "start", "", "", ""};
  CHECK(f.record(step).queued == 0);
  f.crash();
  CHECK(f.job("create-a").status == rpc::job_status::complete);
  CHECK(f.job("start-a").status == rpc::job_status::error);
  CHECK(f.job("start-a").code == rpc::job_code::refused);
  CHECK(f.job("start-a").message == "the host is in maintenance: a new disk");
  CHECK(f.board.sums().allocated.memory == 0);
}

TEST_CASE("a guest whose machine is missing is created once more only if it fits; its disks are promised already") {
  host_fixture f;
  f.limits = host_limits{1000, 4, 100};
  f.create_off(f.guest("a", 600, 60));
  f.batch([&] { return f.log->report_state("a", "unknown", "missing"); });
  const auto again = [&] {
    return f.batch([&] { return f.log->add_guest(f.guest("a", 600, 60), {"again", "a", "create", "", "", "digest"}); });
  };
  f.limits->memory = 500;
  CHECK(f.refusal(again) == "conflict: memory: 600 MB asked for, 500 MB left of 500 MB (0 MB taken)");
  CHECK(rpc::decode_guest(f.doc("a")).state_reason == "missing");
  f.limits->memory = 600;
  CHECK(again().job.id == "again");
  CHECK(f.board.sums().disk == 60);
}

TEST_CASE("a guest whose machine is missing is not created once more during maintenance") {
  host_fixture f;
  f.create_off(f.guest("a", 1));
  f.batch([&] { return f.log->report_state("a", "unknown", "missing"); });
  f.batch([&] { return f.log->set_maintenance({true, ""}); });
  const auto again = [&] {
    return f.batch([&] { return f.log->add_guest(f.guest("a", 1), {"again", "a", "create", "", "", "digest"}); });
  };
  CHECK(f.refusal(again) == "unavailable: the host is in maintenance");
  f.batch([&] { return f.log->set_maintenance({}); });
  CHECK(again().job.id == "again");
}
