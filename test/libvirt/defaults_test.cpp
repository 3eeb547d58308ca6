#include "rpc/agents/libvirt/defaults.hpp"
#include "test/libvirt/guest_parts.hpp"

#include <catch2/catch.hpp>

using namespace mistify;

TEST_CASE("what a guest leaves open about its disks is settled, and what it says stays") {
  rpc::guest g;
  g.disks = test::disks(R"([{"volume":"tank/guests/g/disk-0"},{"device":"vda","source":"/a.raw"},)"
                        R"({"bus":"sata","source":"/b.raw"},{"bus":"ide","device":"hdc","source":"/c.raw"},)"
                        R"({"source":"/d.raw"}])");
  agents::settle_defaults(g);
  CHECK(g.disks[0].bus == "virtio");
  CHECK(g.disks[0].device == "vdb");
  CHECK(g.disks[0].source == "/dev/zvol/tank/guests/g/disk-0");
  CHECK(g.disks[1].device == "vda");
  CHECK(g.disks[1].source == "/a.raw");
  CHECK(g.disks[2].device == "sda");
  CHECK(g.disks[3].device == "hdc");
  CHECK(g.disks[4].device == "vdc");
}

TEST_CASE("the device behind vdz is vdaa") {
  rpc::guest g;
  g.disks.resize(28);
  for (auto& disk : g.disks)
    disk.source = "/a";
  agents::settle_defaults(g);
  CHECK(g.disks[25].device == "vdz");
  CHECK(g.disks[26].device == "vdaa");
  CHECK(g.disks[27].device == "vdab");
}

TEST_CASE("a disk without source and volume is refused by its number") {
  rpc::guest g;
  g.disks = test::disks(R"([{"source":"/a"},{"size":7}])");
  CHECK_THROWS_WITH(agents::settle_defaults(g), "disks[1]: has neither source nor volume");
}

TEST_CASE("nics get a name and a model") {
  rpc::guest g;
  g.nics = test::nics(R"([{"name":"front"},{"model":"e1000"}])");
  agents::settle_defaults(g);
  CHECK(g.nics[0].name == "front");
  CHECK(g.nics[0].model == "virtio");
  CHECK(g.nics[1].name == "net1");
  CHECK(g.nics[1].model == "e1000");
}

TEST_CASE("a nic without a name gets the next one that no other nic has") {
  rpc::guest g;
  g.nics = test::nics(R"([{"name":"net1"},{},{},{"name":"net3"},{}])");
  agents::settle_defaults(g);
  CHECK(g.nics[1].name == "net2");
  CHECK(g.nics[2].name == "net4");
  CHECK(g.nics[4].name == "net5");
}
