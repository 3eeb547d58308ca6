#include "test/libvirt/fixture.hpp"

using namespace mistify;
using Catch::Contains;
using test::libvirt_fixture;

namespace {

/// A machine that somebody else made, which runs; whoever touches it is seen.
struct foreign_fixture : libvirt_fixture {
  agents::domain_ptr make(const std::string& name, const std::string& uuid) {
    const auto xml = "<domain type='test'><name>" + name + "</name><uuid>" + uuid +
                     "</uuid><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>";
    agents::domain_ptr made{agents::must(virDomainDefineXML(other.get(), xml.c_str()))};
    agents::must(virDomainCreate(made.get()));
    return made;
  }

  void expect_left_alone(virDomainPtr foreign, const std::string& name) {
    for (const auto* method : {"CreateGuest", "Create", "Run", "Reboot", "Restart", "Shutdown", "Poweroff", "Suspend"})
      CHECK_THROWS_WITH(raw(method, small()), Contains("conflict") && Contains("left alone: " + name));
    CHECK_THAT(raw("Delete", small()), Contains(R"("message":"left alone: )" + name + '"'));
    CHECK(virDomainIsActive(foreign) == 1);
    CHECK(virDomainIsPersistent(foreign) == 1);
    CHECK(metrics("CPUMetrics", small()).cpu.empty());
    CHECK(guest("Status", small()).state == "unknown");
    CHECK_THAT(raw("Status", small()), Contains("left alone: " + name));
  }
};

} // namespace

TEST_CASE_METHOD(foreign_fixture, "a domain with a guest's UUID and another name is left alone by every method") {
  const auto foreign = make("webserver", id);
  expect_left_alone(foreign.get(), "webserver");
}

TEST_CASE_METHOD(foreign_fixture, "a domain with a guest's name and another UUID is left alone by every method") {
  const auto foreign = make(id, "0a1b2c3d-0000-4000-8000-0000000000ff");
  expect_left_alone(foreign.get(), id);
}
