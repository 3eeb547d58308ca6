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

  policy.started_by_client("g");
  CHECK(crash_and_restart("g", by) == 1s);
}

TEST_CASE_METHOD(policy_fixture, "restarts before the window do not count") {
  const auto by = rules(2, 100s);
  crash_and_restart("g", by);
  crash_and_restart("g", by);
  now += 100s;
  CHECK(crash_and_restart("g", by) == 1s);
}

TEST_CASE_METHOD(policy_fixture, "a guest that is reported twice is started once, and one that is deleted not at all") {
  policy.went_off("a", rules(), now);
  policy.went_off("a", rules(), now);
  policy.went_off("b", rules(), now);
  policy.forget("b");
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
  CHECK(policy.ended("job-b", now) == "b");
  CHECK(due_after(0s).at(0).guest == "c");
  policy.refused("c", now);
  CHECK(wait() == 5s);
  CHECK(due_after(5s).at(0).guest == "a");
}

TEST_CASE_METHOD(policy_fixture, "a start that may be taken later is tried again, and does not count as a restart") {
  policy.went_off("g", rules(1), now);
  const auto tasks = due_after(1s);
  policy.put_off(tasks.at(0), now);
  CHECK(wait() == 30s);
  CHECK(due_after(30s).size() == 1);
  policy.booted({{"b", 0, 0s}}, now);
  policy.put_off(policy.due(now).at(0), now);
  CHECK(wait() == 30s);
}

TEST_CASE_METHOD(policy_fixture, "a job whose end is told before its queueing lets the boot go on") {
  policy.booted({{"a", 0, 0s}, {"b", 0, 0s}}, now);
  CHECK(policy.due(now).at(0).guest == "a");
  CHECK_FALSE(policy.ended("job-a", now));
  policy.queued("a", "job-a", now);
  CHECK(policy.due(now).at(0).guest == "b");
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
  policy.forget("g");
  CHECK(policy.waiting() == 0);
}
