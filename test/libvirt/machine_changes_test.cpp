#include "fixture.hpp"

#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/agents/libvirt/host_info.hpp"
#include "rpc/agents/libvirt/pending_changes.hpp"

using namespace mistify;
using namespace mistify::test;
using Catch::Contains;

namespace {

/// The test driver takes no devices while a machine runs, so that these see definitions, and refusals of live changes.
struct change_fixture : libvirt_fixture {
  rpc::guest changed(const std::string& method, const rpc::guest& g, const std::string& params) {
    const auto answer = rpc::json::document::parse(
      call("Libvirt." + method, R"({"guest":)" + rpc::encode(g) + R"(,"action":"x","params":)" + params + "}"));
    message.clear();
    if (const auto* said = answer.root().find("message"))
      message = said->as_string("message");
    return rpc::decode_guest(*answer.root().find("guest"));
  }

  std::string pending(const rpc::guest& g) {
    return call("Libvirt.Pending", R"({"guest":)" + rpc::encode(g) + R"(,"action":"pending"})");
  }

  agents::domain_shape defined() { return agents::read_domain(xml()); }

  std::string message;
};

} // namespace

TEST_CASE_METHOD(change_fixture, "an update of a guest that is off changes its definition") {
  auto g = guest("CreateGuest", whole());
  g.memory = 512;
  g.cpu = 3;
  g = changed("Update", g, R"({"memory":512,"cpu":3})");
  CHECK(message.empty());
  CHECK(defined().memory == 512 * 1024);
  CHECK(defined().cpus == 3);
  CHECK(pending(g) == "[]");
  CHECK_THROWS_WITH(changed("Update", g, R"({"memory":512,"apply":"live"})"), Contains("the guest is off"));
  CHECK_THROWS_WITH(changed("Update", g, R"({"apply":"now"})"), Contains("apply: must be"));
}

TEST_CASE_METHOD(change_fixture,
                 "an update that a running machine cannot take waits for its next start, or is refused") {
  auto g = guest("Create", whole());
  g.memory = 512;
  CHECK_THROWS_WITH(changed("Update", g, R"({"memory":512,"apply":"live"})"), Contains("cannot change"));
  CHECK(defined().memory == 256 * 1024);
  g = changed("Update", g, R"({"memory":512})");
  CHECK_THAT(message, Contains("takes effect at the next start"));
  CHECK(defined().memory == 512 * 1024);
  CHECK(pending(g) == R"([{"member":"memory","now":256,"next":512}])");
}

TEST_CASE_METHOD(change_fixture, "a change of the processors is not judged by a change of memory that waits") {
  auto g = guest("Create", whole());
  g.memory = 512;
  g = changed("Update", g, R"({"memory":512})");
  REQUIRE_THAT(message, Contains("takes effect at the next start"));
  changed("Update", g, R"({"cpu":2,"apply":"live"})"); // as many as it runs with
  CHECK(message.empty());
  changed("Update", g, R"({"cpu":2})");
  CHECK(message.empty());
  CHECK_THROWS_WITH(changed("Update", g, R"({"memory":512,"cpu":2,"apply":"live"})"), Contains("cannot change"));
  g.cpu = 3;
  CHECK_THROWS_WITH(changed("Update", g, R"({"cpu":3,"apply":"live"})"), Contains("runs with 2 processors"));
  changed("Update", g, R"({"cpu":3})");
  CHECK_THAT(message, Contains("runs with 2 processors"));
  changed("Update", g, R"({"memory":512})");
  CHECK_THAT(message, Contains("memory"));
  CHECK(pending(g) == R"([{"member":"memory","now":256,"next":512},{"member":"cpu","now":2,"next":3}])");
}

TEST_CASE_METHOD(change_fixture, "disks that mistify-storage made are added to the definition, and taken off it") {
  auto g = guest("CreateGuest", whole());
  g.disks.push_back(own_disk(2));
  g.disks[2].device.clear();
  g = changed("AttachDisk", g, R"({"size":8})");
  REQUIRE(g.disks.size() == 3);
  CHECK(g.disks[2].device == "vdc");
  CHECK(g.disks[2].extra.at("format") == R"("qcow2")");
  REQUIRE(defined().disks.size() == 3);
  CHECK(defined().disks[2].source == g.disks[2].source);
  g = changed("DetachDisk", g, R"({"disk":2,"device":"vdc"})");
  CHECK(g.disks.size() == 3); // mistify-storage takes it out
  CHECK(defined().disks.size() == 2);
  CHECK_THROWS_WITH(changed("DetachDisk", g, R"({"disk":0,"device":"vda"})"), Contains("boot from"));
}

TEST_CASE_METHOD(change_fixture, "a disk is not attached as a device that the guest or its machine has") {
  const auto before = guest("CreateGuest", whole());
  auto g = before;
  g.disks.push_back(own_disk(2));
  g.disks[2].device = "vda";
  CHECK_THROWS_WITH(changed("AttachDisk", g, R"({"size":8,"device":"vda"})"), Contains("of the guest already"));
  g.disks[2].device = "vdc";
  g = changed("AttachDisk", g, R"({"size":8,"device":"vdc"})");
  CHECK(changed("AttachDisk", g, R"({"size":8,"device":"vdc"})").disks.size() == 3); // a repetition
  auto unaware = before;
  unaware.disks.push_back(own_disk(3));
  unaware.disks[2].device = "vdc";
  CHECK_THROWS_WITH(changed("AttachDisk", unaware, R"({"size":8,"device":"vdc"})"), Contains("another disk as vdc"));
  CHECK(defined().disks.size() == 3);
}

TEST_CASE_METHOD(change_fixture, "a nic is detached by its address or name, wherever it stands meanwhile") {
  auto g = guest("CreateGuest", whole());
  g = changed("AttachNic", g, R"({"network":"default"})");
  REQUIRE(g.nics.size() == 3);
  const auto first = g.nics[0], second = g.nics[1], last = g.nics[2];
  const auto wish = [](int place, const std::string& member, const std::string& value) {
    return R"({"nic":)" + std::to_string(place) + ",\"" + member + "\":\"" + value + "\"}";
  };
  g = changed("DetachNic", g, wish(0, "mac", first.mac));
  g = changed("DetachNic", g, wish(1, "mac", second.mac));
  REQUIRE(g.nics.size() == 1);
  CHECK(g.nics[0].mac == last.mac);
  CHECK_THROWS_WITH(changed("DetachNic", g, wish(0, "name", second.name)), "not found");
  CHECK(changed("DetachNic", g, wish(7, "name", last.name)).nics.empty());
  CHECK(defined().nics.empty());
}

TEST_CASE_METHOD(change_fixture, "a disk of another guest, or outside of the store, is not attached") {
  auto g = guest("CreateGuest", whole());
  const std::string hers = "0a1b2c3d-0000-4000-8000-000000000002";
  g.disks.push_back(own_disk(0, hers));
  CHECK_THROWS(changed("AttachDisk", g, R"({})"));
  g.disks[2] = disk_of("", "/etc/passwd");
  CHECK_THROWS(changed("AttachDisk", g, R"({})"));
  CHECK(defined().disks.size() == 2);
}

TEST_CASE_METHOD(change_fixture, "a nic gets a name and a MAC address, and goes again") {
  auto g = guest("CreateGuest", whole());
  g = changed("AttachNic", g, R"({"network":"default","apply":"either"})");
  REQUIRE(g.nics.size() == 3);
  CHECK(g.nics[2].name == "net2");
  CHECK(g.nics[2].mac.starts_with("52:54:00:"));
  CHECK(g.nics[2].mac.size() == 17);
  REQUIRE(defined().nics.size() == 3);
  CHECK(defined().nics[2].mac == g.nics[2].mac);
  const auto last = g.nics[2].mac;
  g = changed("DetachNic", g, R"({"nic":0})");
  REQUIRE(g.nics.size() == 2);
  CHECK(g.nics[1].mac == last);
  CHECK(defined().nics.size() == 2);
  CHECK_THROWS_WITH(changed("DetachNic", g, R"({"nic":2})"), "not found");
  CHECK_THROWS_WITH(changed("AttachNic", g, R"({})"), Contains("network"));
}

TEST_CASE("what differs between a machine that runs and its definition is told by member") {
  const auto xml = [](const char* memory, const char* devices) {
    return std::string{"<domain><memory unit='KiB'>"} + memory + "</memory><vcpu>2</vcpu><devices>" + devices +
           "</devices></domain>";
  };
  constexpr auto disk = "<disk><source file='/a'/><target dev='vdb' bus='virtio'/></disk>";
  constexpr auto nic =
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/></interface>";
  const auto found = agents::find_pending(xml("262144", nic), xml("524288", disk));
  CHECK(agents::encode(agents::pending_list{found}) ==
        R"([{"member":"memory","now":256,"next":512},{"member":"disks.vdb","now":null,"next":"/a"},)"
        R"({"member":"nics.52:54:00:00:00:01","now":"lan","next":null}])");
  CHECK(agents::find_pending(xml("1", disk), xml("1", disk)).empty());
}

TEST_CASE_METHOD(change_fixture, "the host is described by what libvirt knows of it") {
  const auto answer = rpc::json::document::parse(call("Libvirt.HostInfo", "{}"));
  const auto* host = answer.root().find("host");
  REQUIRE(host);
  CHECK(host->find("cpu")->find("count")->as_uint("count") > 0);
  CHECK(host->find("memory")->find("total")->as_uint("total") > 0);
}

TEST_CASE("NUMA cells and huge pages are read from libvirt's capabilities") {
  const auto info = agents::read_topology(
    "<capabilities><host><uuid>4c4c4544-0047-3110-8054-b2c04f4d3332</uuid><topology><cells num='2'>"
    "<cell id='0'><memory unit='KiB'>4194304</memory><pages unit='KiB' size='4'>1048576</pages>"
    "<pages unit='KiB' size='2048'>16</pages><cpus num='4'/></cell>"
    "<cell id='1'><memory unit='KiB'>2097152</memory><pages unit='KiB' size='2048'>8</pages><cpus num='2'/></cell>"
    "</cells></topology></host></capabilities>");
  CHECK(info.id == "4c4c4544-0047-3110-8054-b2c04f4d3332");
  REQUIRE(info.cpu.numa.size() == 2);
  CHECK(info.cpu.numa[0].cpus == 4);
  CHECK(info.cpu.numa[1].memory == 2048);
  REQUIRE(info.memory.huge_pages.size() == 1);
  CHECK(info.memory.huge_pages[0].size == 2);
  CHECK(info.memory.huge_pages[0].total == 24);
}
