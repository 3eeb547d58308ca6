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
  return {std::move(type), std::move(arch), kind_of};
}

rpc::guest small() {
  rpc::guest g;
  g.id = id;
  g.memory = 512;
  g.cpu = 2;
  return g;
}

agents::placed_disk qcow2(const std::string& path) {
  return {.chain = {{path, images::disk_format::qcow2, false}}};
}

agents::placed_disk device(const std::string& path) {
  return {.chain = {{path, images::disk_format::raw, true}}};
}

std::string built(rpc::guest g, const agents::machine_plan& plan = {}, const agents::host_facts& on = host()) {
  agents::settle_defaults(g);
  return agents::build_domain_xml(g, plan, on, "/var/log/c/" + g.id + ".log");
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
  CHECK_THAT(built(small(), {}, host("qemu")), Contains("<domain type=\"qemu\">") && !Contains("<cpu "));
  CHECK_THAT(built(small(), {}, host("kvm", "aarch64")), !Contains("<apic") && !Contains("<panic"));
}

TEST_CASE("a guest that does not say has one processor") {
  auto g = small();
  g.cpu = 0;
  CHECK_THAT(built(g), Contains("<vcpu>1</vcpu>"));
}

TEST_CASE("there is no VNC unless it is planned, and then on loopback with its password") {
  CHECK_THAT(built(small()), !Contains("<graphics"));
  const auto xml = built(small(), {.vnc_port = 5917, .vnc_password = "a<\"&"});
  CHECK_THAT(xml, Contains(R"(<graphics type="vnc" port="5917" autoport="no" passwd="a&lt;&quot;&amp;">)") &&
                    Contains(R"(<listen type="address" address="127.0.0.1" />)"));
}

TEST_CASE("disks are files or block devices of the planned format, and QEMU is told that nothing is behind them") {
  auto g = small();
  g.disks = test::disks(R"([{"source":"/1"},{"bus":"scsi","source":"/2"}])");
  const auto xml = built(g, {.disks = {qcow2("/s/a.qcow2"), device("/dev/zvol/tank/b")}});
  const auto disks = agents::read_domain(xml).disks;
  REQUIRE(disks.size() == 2);
  CHECK(disks[0].device == "sda");
  CHECK(disks[0].source == "/dev/zvol/tank/b");
  CHECK(disks[0].format == "raw");
  CHECK(disks[1].source == "/s/a.qcow2");
  CHECK(disks[1].format == "qcow2");
  CHECK_THAT(xml, Contains(R"(<source file="/s/a.qcow2">)") && Contains(R"(<source dev="/dev/zvol/tank/b">)"));
  const auto first = xml.find("<backingStore />");
  CHECK(xml.find("<backingStore />", first + 1) != xml.npos);
}

TEST_CASE("the files behind a disk are written with their formats, and the last has nothing behind it") {
  auto g = small();
  g.disks = test::disks(R"([{"source":"/1"}])");
  auto disk = qcow2("/s/a.qcow2");
  disk.chain.push_back({"/s/b.qcow2", images::disk_format::qcow2, false});
  disk.chain.push_back({"/dev/zvol/tank/c", images::disk_format::raw, true});
  const auto xml = built(g, {.disks = {disk}});
  const auto middle = xml.find(R"(<backingStore type="file">)"), last = xml.find(R"(<backingStore type="block">)");
  CHECK(xml.find(R"(<source file="/s/b.qcow2">)") > middle);
  CHECK(last > xml.find(R"(<format type="qcow2" />)"));
  CHECK(xml.find(R"(<source dev="/dev/zvol/tank/c">)") > last);
  CHECK(xml.find("<backingStore />") > last);
}

TEST_CASE("libvirt is to leave the owner of a disk alone, and those of all files behind it") {
  auto g = small();
  g.disks = test::disks(R"([{"source":"/1"}])");
  auto disk = qcow2("/s/a.qcow2");
  disk.chain.push_back({"/s/b.qcow2", images::disk_format::qcow2, false});
  const auto xml = built(g, {.disks = {disk}});
  const std::string label = R"(<seclabel model="dac" relabel="no" />)";
  const auto first = xml.find(label);
  REQUIRE(first != xml.npos);
  CHECK(xml.find(label, first + 1) != xml.npos);
}

TEST_CASE("media are read-only, and a CD where the bus has no such disks") {
  auto g = small();
  g.disks = test::disks(R"([{"source":"/1"},{"bus":"sata","source":"/2"}])");
  auto iso = device("/m/a.iso");
  iso.read_only = true;
  const auto xml = built(g, {.disks = {iso, iso}});
  CHECK_THAT(xml, Contains(R"(device="disk")") && Contains(R"(device="cdrom")") && !Contains("discard"));
  CHECK(xml.find("<readonly />") != xml.rfind("<readonly />"));
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
  agents::machine_plan plan{.disks = {qcow2("/a")}};
  CHECK_THAT(built(g, plan), Contains(R"(<boot dev="hd" />)"));
  g.metadata = {{"boot.cmdline", "console=ttyS0 a=<b>"}};
  plan.kernel = "/boot/k";
  plan.initrd = "/boot/i";
  const auto shape = agents::read_domain(built(g, plan));
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
  const auto xml = built(g, {.disks = {qcow2(hostile)}});
  CHECK_THAT(xml, !Contains("<evil"));
  const auto shape = agents::read_domain(xml);
  CHECK(shape.disks.at(0).source == hostile);
  CHECK(shape.nics.at(0).source == hostile);
}

TEST_CASE("a machine is the same as itself, whatever libvirt chose, and differs by name") {
  auto g = small();
  g.disks = test::disks(R"([{"source":"/a"}])");
  g.nics = test::nics(R"([{"network":"br0"}])");
  const auto asked = agents::read_domain(built(g, {.disks = {qcow2("/a")}}));
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
