#include "rpc/agents/libvirt/states.hpp"
#include "test/libvirt/breakable_libvirt.hpp"
#include "test/libvirt/reporter_fixture.hpp"

#include <algorithm>
#include <memory>

using namespace mistify;
using test::full_disk;
using test::listening_agent;
using test::reporter_fixture;
using test::strings;

namespace {

const std::string full = R"({"state":"paused","state_reason":"io-error:ENOSPC:vda"})";

struct suspend_fixture : reporter_fixture {
  /// A guest that a full disk has paused.
  void fill_up() {
    guest("Run", guest("CreateGuest", small()));
    agents::must(virDomainSuspend(domain().get()));
  }
  strings full_disks() { return agents::full_disks(domain().get()); }
};

} // namespace

TEST_CASE_METHOD(suspend_fixture, "a guest that a full disk has paused goes on by itself once there is room") {
  const full_disk disk;
  fill_up();
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  const auto states = told.states(3);
  REQUIRE(states.size() == 3);
  CHECK(states == strings{full, full, running}); // the second before it goes on: the agent is asked
}

TEST_CASE_METHOD(suspend_fixture, "one that is suspended meanwhile stays so until somebody resumes it") {
  const full_disk disk;
  fill_up();
  CHECK(full_disks() == strings{"vda"});
  for (int i = 0; i < 2; ++i) {
    CHECK(guest("Suspend", small()).state_reason == "user");
    CHECK(full_disks().empty());
  }
  CHECK(guest("Resume", small()).state == "running");
  agents::must(virDomainSuspend(domain().get()));
  CHECK(full_disks() == strings{"vda"});
}

TEST_CASE_METHOD(suspend_fixture, "a guest that was resumed by hand is suspended no more") {
  const full_disk disk;
  fill_up();
  guest("Suspend", small());
  agents::must(virDomainResume(domain().get()));
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  REQUIRE(told.states(1) == strings{running});
  agents::must(virDomainSuspend(domain().get()));
  const auto states = told.states(2);
  REQUIRE(states.size() >= 2);
  CHECK(states[1] == full);
}

TEST_CASE_METHOD(suspend_fixture, "a guest does not go on while a call has its turn") {
  const full_disk disk;
  fill_up();
  listening_agent told;
  auto turn = std::make_unique<agents::guest_locks::turn>(hypervisor.turns().take(id));
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  REQUIRE(told.states(2).size() == 2);
  REQUIRE(told.states(3) == strings{full, full, full}); // it was asked for twice, and had no turn
  turn.reset();
  auto states = told.states(4);
  REQUIRE(states.size() >= 4);
  if (states[3] == full) // one more look began before the turn was given back
    states = told.states(5);
  CHECK(states.back() == running);
  CHECK(std::count(states.begin(), states.end(), full) + 1 == std::ssize(states));
}
