#include "actors/guests/power_policy.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace std::chrono_literals;
using actors::power_policy;
using kind = power_policy::task::kind;

namespace {

/// A policy and a clock that the test moves.
struct policy_fixture {
  power_policy policy;
  power_policy::time now{1000s};

  rpc::power_rules rules(std::size_t max = 5, std::chrono::seconds within = 600s) const {
    rpc::power_rules r;
    r.restart = rpc::restart_policy::on_crash;
    r.max = max;
    r.within = within;
    return r;
  }

  /// How long until the next task; -1 s if none waits.
  std::chrono::seconds wait() const {
    const auto next = policy.next();
    return next ? std::chrono::duration_cast<std::chrono::seconds>(*next - now) : -1s;
  }

  std::vector<power_policy::task> due_after(std::chrono::seconds length) {
    now += length;
    return policy.due(now);
  }

  /// The guest crashes, and is started as soon as that is due. Returns the pause before.
  std::chrono::seconds crash_and_restart(const std::string& guest, const rpc::power_rules& by) {
    policy.went_off(guest, by, now);
    const auto pause = wait();
    const auto tasks = due_after(pause);
    REQUIRE(tasks.size() == 1);
    CHECK(tasks[0].what == kind::restart);
    CHECK(tasks[0].guest == guest);
    return pause;
  }
};

} // namespace

TEST_CASE_METHOD(policy_fixture,
                 "a guest that crashes again and again is started with growing pauses, up to a minute") {
  const auto by = rules(20, 3600s);
  std::vector<std::chrono::seconds> pauses;
  for (int i = 0; i < 8; ++i)
    pauses.push_back(crash_and_restart("g", by));
  CHECK(pauses == std::vector<std::chrono::seconds>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s});
}

TEST_CASE_METHOD(policy_fixture, "after its restarts within the window a guest stays off, which is told once") {
  const auto by = rules(2);
  crash_and_restart("g", by);
  crash_and_restart("g", by);
  policy.went_off("g", by, now);
  const auto told = policy.due(now);
  REQUIRE(told.size() == 1);
  CHECK(told[0].what == kind::tell);
  CHECK(told[0].text == "stays off: 2 restarts within 600 s");
  policy.went_off("g", by, now + 3600s);
  CHECK(wait() == -1s);

  policy.wished_by_client("g", now);
  CHECK(crash_and_restart("g", by) == 1s);
}

TEST_CASE_METHOD(policy_fixture, "restarts before the window do not count, but the pauses go on growing") {
  const auto by = rules(2, 100s);
  crash_and_restart("g", by);
  crash_and_restart("g", by);
  now += 100s;
  CHECK(crash_and_restart("g", by) == 4s);
}

TEST_CASE_METHOD(policy_fixture,
                 "a guest that crashes at once does so once a minute in the end, however short its window") {
  const auto by = rules(5, 1s);
  std::chrono::seconds pause{0};
  for (int i = 0; i < 10; ++i) {
    pause = crash_and_restart("g", by);
    policy.came_on("g", now);
    now += 1s;
  }
  CHECK(pause == 60s);
}

TEST_CASE_METHOD(policy_fixture,
                 "a guest that runs for as long as its window is forgotten, also one that was given up") {
  const auto by = rules(1, 100s);
  crash_and_restart("g", by);
  policy.went_off("g", by, now);
  CHECK(policy.due(now).at(0).what == kind::tell);
  policy.came_on("g", now); // by somebody's hand
  CHECK(policy.waiting() == 0);
  policy.went_off("g", by, now + 99s);
  CHECK(wait() == -1s); // that was too short
  policy.came_on("g", now);
  CHECK(wait() == 100s);
  CHECK(due_after(100s).empty());
  CHECK(wait() == -1s);
  CHECK(crash_and_restart("g", by) == 1s);
}

TEST_CASE_METHOD(policy_fixture, "a guest that comes on before its restart is due is not restarted") {
  policy.went_off("g", rules(), now);
  CHECK(policy.waiting() == 1);
  policy.came_on("g", now);
  CHECK(policy.waiting() == 0);
  CHECK(due_after(600s).empty());
}

TEST_CASE_METHOD(policy_fixture, "of many guests that are off each is restarted when it is due") {
  for (int i = 0; i < 100; ++i)
    policy.went_off("g" + std::to_string(i), rules(), now + std::chrono::seconds{i});
  CHECK(policy.waiting() == 100);
  CHECK(due_after(50s).size() == 50);
  CHECK(wait() == 1s);
  policy.forget("g50", now);
  CHECK(wait() == 2s);
  CHECK(policy.waiting() == 49);
}

TEST_CASE_METHOD(policy_fixture, "the boot goes on where the guest whose turn it is, or a later one, is deleted") {
  policy.booted({{"a", 0, 0s}, {"b", 1, 0s}, {"c", 2, 0s}, {"d", 3, 7s}}, now);
  CHECK(policy.due(now).at(0).guest == "a");
  policy.queued("a", "job-a", now);
  policy.forget("a", now);
  CHECK_FALSE(policy.ended("job-a", now));
  CHECK(policy.due(now).at(0).guest == "b");
  policy.forget("c", now);
  policy.queued("b", "job-b", now);
  policy.ended("job-b", now);
  CHECK(wait() == 7s); // of d
  policy.forget("d", now);
  CHECK(wait() == -1s);
  CHECK(policy.waiting() == 0);
}

TEST_CASE_METHOD(policy_fixture, "a guest that a client powers off while it waits in the boot has no turn any more") {
  policy.booted({{"a", 0, 0s}, {"b", 1, 5s}, {"c", 2, 0s}}, now);
  policy.due(now);
  policy.queued("a", "job-a", now);
  policy.wished_by_client("b", now);
  policy.wished_by_client("a", now); // is on its way: the next waits for its end
  CHECK(wait() == -1s);
  policy.ended("job-a", now);
  CHECK(policy.due(now).at(0).guest == "c");
}

TEST_CASE_METHOD(policy_fixture, "a start that is queued since before a crash comes first, and is not queued again") {
  policy.booted({{"a", 0, 0s}, {"b", 1, 9s, "job-b"}}, now);
  CHECK(policy.due(now).empty());
  CHECK(wait() == -1s);
  CHECK(policy.ended("job-b", now)->guest == "b");
  CHECK(policy.due(now).at(0).guest == "a");

  CHECK_FALSE(policy.ended("job-c", now)); // told before the boot
  policy.booted({{"c", 0, 0s, "job-c"}, {"d", 1, 0s}}, now);
  const auto tasks = policy.due(now);
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].what == kind::look); // that start may have failed
  CHECK(tasks[0].guest == "c");
  CHECK(tasks[1].guest == "d");
}

TEST_CASE_METHOD(policy_fixture, "a guest that is reported twice is started once, and one that is deleted not at all") {
  policy.went_off("a", rules(), now);
  policy.went_off("a", rules(), now);
  policy.went_off("b", rules(), now);
  policy.forget("b", now);
  CHECK(due_after(1s).size() == 1);
  CHECK(wait() == -1s);
}

TEST_CASE_METHOD(policy_fixture, "at a boot guests start by order, one after the other, each after its delay") {
  policy.booted({{"c", 0, 0s}, {"a", 1, 5s}, {"b", 0, 3s}}, now);
  CHECK(wait() == 3s);
  CHECK(due_after(2s).empty());
  auto tasks = due_after(1s);
  REQUIRE(tasks.size() == 1);
  CHECK(tasks[0].guest == "b");
  CHECK(tasks[0].what == kind::start_by_boot);
  policy.queued("b", "job-b", now);
  CHECK(wait() == -1s); // until that has ended
  CHECK(policy.ended("job-b", now)->guest == "b");
  CHECK(due_after(0s).at(0).guest == "c");
  policy.refused("c", now);
  CHECK(wait() == 5s);
  CHECK(due_after(5s).at(0).guest == "a");
}

TEST_CASE_METHOD(policy_fixture, "a start that may be taken later is tried again, and does not count as a restart") {
  policy.went_off("g", rules(1), now);
  const auto tasks = due_after(1s);
  policy.put_off(tasks.at(0), now);
  CHECK(wait() == 5s);
  CHECK(due_after(5s).size() == 1);
  policy.booted({{"b", 0, 0s}}, now);
  policy.put_off(policy.due(now).at(0), now);
  CHECK(wait() == 5s);
}

TEST_CASE_METHOD(policy_fixture,
                 "a start of the boot that failed for now is tried again with growing pauses, and given up") {
  policy.booted({{"a", 0, 0s}}, now);
  policy.due(now);
  policy.queued("a", "job-a", now);
  for (const auto pause : {1s, 2s, 4s}) {
    const auto ended = policy.ended("job-a", now);
    REQUIRE(ended);
    CHECK(ended->by_boot);
    policy.boot_start_failed("a", rules(3), now);
    CHECK(wait() == pause);
    const auto tasks = due_after(pause);
    REQUIRE(tasks.size() == 1);
    CHECK(tasks[0].what == kind::restart);
    CHECK(tasks[0].owed);
    policy.queued("a", "job-a", now);
  }
  REQUIRE(policy.ended("job-a", now));
  policy.boot_start_failed("a", rules(3), now);
  CHECK(policy.due(now).at(0).what == kind::tell);
}

TEST_CASE_METHOD(policy_fixture, "a job whose end is told before its queueing lets the boot go on") {
  policy.booted({{"a", 0, 0s}, {"b", 0, 0s}}, now);
  CHECK(policy.due(now).at(0).guest == "a");
  CHECK_FALSE(policy.ended("job-a", now));
  CHECK(policy.queued("a", "job-a", now)->guest == "a");
  CHECK(policy.due(now).at(0).guest == "b");
  CHECK_FALSE(policy.queued("b", "job-b", now));
}

TEST_CASE_METHOD(policy_fixture, "a restart whose job ended before it is known is looked after, and made once more") {
  crash_and_restart("g", rules());
  CHECK_FALSE(policy.ended("job", now)); // it failed fast
  CHECK(policy.queued("g", "job", now)->guest == "g");
  CHECK(crash_and_restart("g", rules()) == 2s);
}

TEST_CASE_METHOD(policy_fixture, "a guest that the boot is to start is not restarted out of turn") {
  policy.booted({{"a", 0, 5s}, {"b", 1, 0s}}, now);
  policy.went_off("b", rules(), now);
  CHECK(wait() == 5s);
  CHECK(due_after(5s).at(0).guest == "a");
  policy.refused("a", now);
  policy.due(now);
  policy.refused("b", now);
  CHECK(crash_and_restart("b", rules()) == 1s);
}

TEST_CASE_METHOD(policy_fixture, "a policy with nothing due keeps no timer and nothing of its guests") {
  CHECK_FALSE(policy.next());
  policy.went_off("g", rules(), now);
  policy.forget("g", now);
  CHECK(policy.waiting() == 0);
}
