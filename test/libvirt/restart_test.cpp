#include "test/libvirt/breakable_libvirt.hpp"
#include "test/libvirt/reporter_fixture.hpp"

using namespace mistify;
using Catch::Contains;
using test::daemon_outage;
using test::listening_agent;
using test::reporter_fixture;
using test::strings;

TEST_CASE_METHOD(reporter_fixture, "the next call after a restart of libvirt's daemon finds the new one") {
  guest("Run", guest("CreateGuest", small()));
  { const daemon_outage restart; }
  CHECK(guest("Suspend", small()).state == "paused");
}

TEST_CASE_METHOD(reporter_fixture, "a call without libvirt's daemon says why it fails, and the one after it succeeds") {
  guest("CreateGuest", small());
  {
    const daemon_outage outage;
    CHECK_THROWS_WITH(raw("Run", small()), Contains("no/daemon"));
    CHECK_THROWS_WITH(raw("CPUMetrics", small()), Contains("no/daemon"));
  }
  CHECK(guest("Run", small()).state == "running");
}

TEST_CASE_METHOD(reporter_fixture, "a connection that breaks under a call is not kept for the next one") {
  {
    const auto in_use = hypervisor.connect();
    const daemon_outage restart;
  }
  CHECK(virConnectIsAlive(hypervisor.connect().get()) == 1);
}

TEST_CASE_METHOD(reporter_fixture, "what happened while libvirt's daemon was away is told when it is back") {
  guest("Run", guest("CreateGuest", small()));
  const auto machine = domain();
  listening_agent told;
  const agents::state_reporter reporter{hypervisor, told.url(), notes};
  REQUIRE(told.states(1) == strings{running});
  {
    const daemon_outage outage;
    REQUIRE(outage.refuses_somebody()); // after which nothing is watched any more
    agents::must(virDomainDestroy(machine.get()));
  }
  CHECK(told.states(2) == strings{running, shutoff});
  agents::must(virDomainCreate(machine.get()));
  CHECK(told.states(3) == strings{running, shutoff, running});
}
