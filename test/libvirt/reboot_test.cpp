#include "test/libvirt/breakable_libvirt.hpp"
#include "test/libvirt/reporter_fixture.hpp"

using namespace mistify;
using test::daemon_outage;
using test::listening_agent;
using test::reporter_fixture;
using test::strings;

namespace {

/// Machines whose hypervisor tells of resets, as QEMU's does, when the test says so.
struct reboot_fixture : reporter_fixture {
  agents::machines machines{
    hypervisor, consoles, {agents::disk_places{places()}, agents::parse_vnc_ports("5900-5999"), false}, *notes};

  reboot_fixture() { notes->expect_resets(); }

  static rpc::guest_request request(bool again = false) {
    rpc::guest_request r;
    r.guest = small();
    r.action = "reboot";
    r.args = {{"wait", "30"}};
    r.again = again;
    return r;
  }
  void run() {
    machines.create(request());
    machines.run(request());
  }
  /// Whether the reboot is not over yet.
  bool reboots(bool again) { return machines.reboot(request(again)).retry > 0; }
};

} // namespace

TEST_CASE_METHOD(reboot_fixture, "a reboot is over when the reset is told of") {
  run();
  CHECK(reboots(false));
  CHECK(reboots(true));
  notes->note_reset(id);
  CHECK_FALSE(reboots(true));
  CHECK_FALSE(reboots(true));
}

TEST_CASE_METHOD(reboot_fixture,
                 "a reboot whose reset may have been missed is over, and its guest is not powered off") {
  run();
  CHECK(reboots(false));
  notes->miss_resets();
  CHECK_FALSE(reboots(true));
  CHECK_FALSE(reboots(false)); // nothing tells of resets yet
  notes->expect_resets();
  CHECK(reboots(false));
  CHECK(reboots(true));
}

TEST_CASE_METHOD(reboot_fixture, "no reboot is awaited of a guest that was powered off, removed or refused it") {
  run();
  CHECK(reboots(false));
  machines.poweroff(request());
  CHECK_FALSE(reboots(true));
  machines.run(request());
  CHECK(reboots(false));
  machines.remove(request());
  CHECK_THROWS(reboots(false));
  run();
  CHECK_FALSE(reboots(true));
}

TEST_CASE_METHOD(reporter_fixture, "resets are not waited for over a connection that broke") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  REQUIRE(told.states(1) == strings{running});
  notes->expect_resets();
  { const daemon_outage restart; }
  REQUIRE(told.states(2) == strings{running, running}); // all are told of again: there is a new connection
  CHECK_FALSE(notes->resets_of(id));                    // of libvirt's test driver, which tells of none
}

TEST_CASE_METHOD(reporter_fixture, "what libvirt's callbacks write to lives as long as they may come") {
  guest("Run", guest("CreateGuest", small()));
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  REQUIRE(told.states(1) == strings{running});
  const std::weak_ptr<agents::domain_notes> kept = notes;
  notes.reset();
  CHECK(kept.use_count() > 1); // not the reporter's own alone
  shut_down();
  CHECK(told.states(2) == strings{running, shutoff});
}
