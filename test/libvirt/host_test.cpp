#include "rpc/agents/libvirt/host.hpp"

#include <catch2/catch.hpp>

using namespace mistify;

namespace {

std::string capabilities(const std::string& domains) {
  return "<capabilities><host><cpu><arch>x86_64</arch></cpu></host>"
         "<guest><os_type>hvm</os_type><arch name='i686'><domain type='qemu'/></arch></guest>"
         "<guest><os_type>hvm</os_type><arch name='x86_64'>" +
         domains + "</arch></guest></capabilities>";
}

} // namespace

TEST_CASE("KVM is taken where it works, and emulation where not") {
  const auto both = capabilities("<domain type='qemu'/><domain type='kvm'/>");
  CHECK(agents::read_capabilities(both, true).type == "kvm");
  CHECK(agents::read_capabilities(both, false).type == "qemu");
  const auto facts = agents::read_capabilities(capabilities("<domain type='qemu'/>"), true);
  CHECK(facts.type == "qemu");
  CHECK(facts.arch == "x86_64");
}

TEST_CASE("KVM works on processors of PCs with VMX or SVM, and on others if libvirt says so") {
  CHECK(agents::runs_machines("processor\t: 0\nflags\t\t: fpu vmx sse\nbugs\t\t:\n"));
  CHECK(agents::runs_machines("processor\t: 0\nflags\t\t: fpu svm"));
  CHECK_FALSE(agents::runs_machines("processor\t: 0\nflags\t\t: fpu vmxnet sse\nvmx flags\t: vmx\n"));
  CHECK(agents::runs_machines("processor\t: 0\nFeatures\t: fp asimd\n"));
}

TEST_CASE("a hypervisor without machines of its own architecture is refused") {
  CHECK_THROWS_WITH(
    agents::read_capabilities("<capabilities><host><cpu><arch>riscv64</arch></cpu></host></capabilities>", true),
    "the hypervisor runs no machines of its own architecture (riscv64)");
}

TEST_CASE("the stage's arg domain says what kind of machine it is to be") {
  for (const auto* has : {"kvm", "qemu"}) {
    agents::host_facts host;
    host.type = has;
    CHECK(agents::with_wish(host, {}).type == has);
    CHECK(agents::with_wish(host, {{"other", "xen"}}).type == has);
    CHECK(agents::with_wish(host, {{"domain", "kvm"}}).type == "kvm");
    CHECK(agents::with_wish(host, {{"domain", "qemu"}}).type == "qemu");
  }
}

TEST_CASE("a kind of machine that there is not is refused by name") {
  for (const auto* wish : {"", "KVM", "test", "xen"})
    CHECK_THROWS_WITH(agents::with_wish({}, {{"domain", wish}}), "args.domain: must be kvm or qemu");
}

TEST_CASE("machines of the test driver are of no other kind, whatever is asked for") {
  agents::host_facts host;
  host.type = "test";
  CHECK(agents::with_wish(host, {{"domain", "kvm"}}).type == "test");
}
