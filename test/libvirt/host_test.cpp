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

TEST_CASE("KVM is taken where libvirt found it to work, and emulation where not") {
  CHECK(agents::read_capabilities(capabilities("<domain type='qemu'/><domain type='kvm'/>")).type == "kvm");
  const auto facts = agents::read_capabilities(capabilities("<domain type='qemu'/>"));
  CHECK(facts.type == "qemu");
  CHECK(facts.arch == "x86_64");
}

TEST_CASE("a hypervisor without machines of its own architecture is refused") {
  CHECK_THROWS_WITH(
    agents::read_capabilities("<capabilities><host><cpu><arch>riscv64</arch></cpu></host></capabilities>"),
    "the hypervisor runs no machines of its own architecture (riscv64)");
}
