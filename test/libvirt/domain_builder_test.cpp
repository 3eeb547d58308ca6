#include "rpc/agents/libvirt/defaults.hpp"
#include "rpc/agents/libvirt/domain_builder.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "test/libvirt/guest_parts.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using Catch::Contains;

namespace {

const std::string id = "0a1b2c3d-0000-4000-8000-000000000001";

agents::network_kind kind_of(const std::string& network) {
  if (network.empty())
    return agents::network_kind::user;
  if (network == "default")
    return agents::network_kind::libvirt;
  return network.starts_with("ovs") ? agents::network_kind::open_vswitch : agents::network_kind::bridge;
}

agents::host_facts host(std::string type = "kvm", std::string arch = "x86_64") {
  return {std::move(type), std::move(arch), kind_of, [](const std::string& path) { return path.starts_with("/dev/"); }};
}

rpc::guest small() {
  rpc::guest g;
  g.id = id;
  g.memory = 512;
  g.cpu = 2;
  return g;
}

std::string built(rpc::guest g, const agents::host_facts& on = host()) {
  agents::settle_defaults(g);
  return agents::build_domain_xml(g, on, "/var/log/c/" + g.id + ".log");
}

} // namespace

TEST_CASE("a domain has its guest's id as name and UUID, its size, and a console in a file") {
  const auto xml = built(small());
  CHECK_THAT(xml, Contains("<domain type=\"kvm\">"));
  CHECK_THAT(xml, Contains("<name>" + id + "</name>") && Contains("<uuid>" + id + "</uuid>"));
  CHECK_THAT(xml, Contains("<memory unit=\"MiB\">512</memory>") && Contains("<vcpu>2</vcpu>"));
  CHECK_THAT(xml, Contains("<log file=\"/var/log/c/" + id + ".log\" append=\"on\" />"));
  CHECK_THAT(xml, Contains("<acpi />") && Contains("<cpu mode=\"host-passthrough\" />"));
}

TEST_CASE("without KVM the processor is left to QEMU, and other architectures have no parts of a PC") {
  CHECK_THAT(built(small(), host("qemu")), Contains("<domain type=\"qemu\">") && !Contains("<cpu "));
  CHECK_THAT(built(small(), host("kvm", "aarch64")), !Contains("<apic") && !Contains("<panic"));
}

TEST_CASE("a guest that does not say has one processor") {
  auto g = small();
  g.cpu = 0;
  CHECK_THAT(built(g), Contains("<vcpu>1</vcpu>"));
}

TEST_CASE("VNC listens on loopback, at a free port or at the one that the guest has") {
  auto g = small();
  CHECK_THAT(built(g), Contains(R"(<graphics type="vnc" port="-1" autoport="yes">)") &&
                         Contains(R"(<listen type="address" address="127.0.0.1" />)"));
  g.vnc = 5917;
  CHECK_THAT(built(g), Contains(R"(<graphics type="vnc" port="5917" autoport="no">)"));
}

TEST_CASE("disks are files or block devices, and raw or qcow2 by their ending or their format") {
  auto g = small();
  g.disks = test::disks(R"([{"source":"/images/a.qcow2"},{"volume":"tank/guests/g/disk-1"},)"
                        R"({"source":"/images/b","format":"qcow2"},{"bus":"scsi","source":"/dev/sdx"}])");
  const auto xml = built(g);
  const auto disks = agents::read_domain(xml).disks;
  REQUIRE(disks.size() == 4);
  CHECK(disks[0].device == "sda");
  CHECK(disks[0].source == "/dev/sdx");
  CHECK(disks[1].source == "/images/a.qcow2");
  CHECK(disks[1].format == "qcow2");
  CHECK(disks[2].source == "/dev/zvol/tank/guests/g/disk-1");
  CHECK(disks[2].format == "raw");
  CHECK(disks[3].format == "qcow2");
  CHECK_THAT(xml, Contains(R"(<source file="/images/a.qcow2" />)") &&
                    Contains(R"(<source dev="/dev/zvol/tank/guests/g/disk-1" />)"));
}

TEST_CASE("nics join libvirt's networks, bridges of the kernel and of Open vSwitch, or user mode") {
  auto g = small();
  g.nics = test::nics(R"([{"network":"default"},{"network":"br0","mac":"52:54:00:00:00:01","device":"tap7"},)"
                      R"({"network":"ovs0"},{"network":"br1","vlans":[7]},{"model":"e1000"}])");
  const auto xml = built(g);
  CHECK_THAT(xml, Contains(R"(<source network="default" />)") && Contains(R"(<source bridge="br0" />)"));
  CHECK_THAT(xml, Contains(R"(<mac address="52:54:00:00:00:01" />)") && Contains(R"(<target dev="tap7" />)"));
  CHECK_THAT(xml, Contains(R"(<interface type="user">)") && Contains(R"(<model type="e1000" />)"));
  const auto nics = agents::read_domain(xml).nics;
  REQUIRE(nics.size() == 5);
  CHECK(nics[3].vlans == std::vector<std::int64_t>{7});
  // Two: the bridge of Open vSwitch, and the one that is asked for VLANs.
  const auto first = xml.find("<virtualport type=\"openvswitch\" />");
  const auto second = xml.find("<virtualport", first + 1);
  CHECK(second != xml.npos);
  CHECK(xml.find("<virtualport", second + 1) == xml.npos);
}

TEST_CASE("several VLANs are a trunk, and ones that do not exist are refused") {
  auto g = small();
  g.nics = test::nics(R"([{"network":"ovs0","vlans":[7,9]}])");
  CHECK_THAT(built(g), Contains("<vlan trunk=\"yes\">"));
  g.nics[0].vlans = {{4096}};
  CHECK_THROWS_WITH(built(g), "nics[0].vlans: must be between 0 and 4095");
  g.nics[0].vlans = {{-1}};
  CHECK_THROWS_WITH(built(g), "nics[0].vlans: must be between 0 and 4095");
}

TEST_CASE("a guest boots its disk, the network without any, or the kernel that its metadata names") {
  auto g = small();
  CHECK_THAT(built(g), Contains(R"(<boot dev="network" />)"));
  g.disks = test::disks(R"([{"source":"/a"}])");
  CHECK_THAT(built(g), Contains(R"(<boot dev="hd" />)"));
  g.metadata = {{"boot.kernel", "/boot/k"}, {"boot.initrd", "/boot/i"}, {"boot.cmdline", "console=ttyS0 a=<b>"}};
  const auto shape = agents::read_domain(built(g));
  CHECK(shape.kernel == "/boot/k");
  CHECK(shape.initrd == "/boot/i");
  CHECK(shape.cmdline == "console=ttyS0 a=<b>");
}

TEST_CASE("text of a guest stays text in its domain") {
  auto g = small();
  const std::string hostile = "/a\"/><evil x='&amp;]]>";
  g.disks = test::disks("[{}]");
  g.disks[0].device = g.disks[0].source = hostile;
  g.nics = test::nics("[{}]");
  g.nics[0].network = g.nics[0].model = hostile;
  const auto xml = built(g);
  CHECK_THAT(xml, !Contains("<evil"));
  const auto shape = agents::read_domain(xml);
  CHECK(shape.disks.at(0).source == hostile);
  CHECK(shape.nics.at(0).source == hostile);
}

TEST_CASE("a machine is the same as itself, whatever libvirt chose, and differs by name") {
  auto g = small();
  g.disks = test::disks(R"([{"source":"/a"}])");
  g.nics = test::nics(R"([{"network":"br0"}])");
  const auto asked = agents::read_domain(built(g));
  auto there = asked;
  there.vnc = 5900;
  there.nics[0].mac = "52:54:00:00:00:01";
  there.nics[0].device = "vnet0";
  CHECK(agents::difference(asked, there).empty());
  there.memory += 1;
  CHECK(agents::difference(asked, there) == "memory");
  there = asked;
  there.disks[0].source = "/b";
  CHECK(agents::difference(asked, there) == "disks");
  there = asked;
  there.nics.push_back(asked.nics[0]);
  CHECK(agents::difference(asked, there) == "nics");
}
