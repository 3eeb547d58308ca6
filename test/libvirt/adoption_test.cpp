#include "test/libvirt/adoption_fixture.hpp"

using namespace mistify;
using Catch::Contains;
using test::adoption_fixture;

namespace fs = std::filesystem;

TEST_CASE_METHOD(adoption_fixture, "a domain that runs becomes a guest's machine, and goes on as it was") {
  const auto domain = start(define(usual_devices()));
  const auto before = agents::read_domain(xml_of(domain.get(), 0));
  const auto g = adopt();
  CHECK(g.state == "running");
  CHECK(g.memory == 256);
  CHECK(g.cpu == 2);
  CHECK(g.extra.at("name") == R"("web")");
  CHECK(g.extra.at("adopted") == "true");
  CHECK(g.metadata.at("owner") == "ann");
  CHECK(g.vnc == 0);
  REQUIRE(g.disks.size() == 2);
  CHECK(g.disks[0].device == "vda");
  CHECK(g.disks[0].source == qcow2_disk);
  CHECK(g.disks[0].extra.at("format") == R"("qcow2")");
  CHECK(g.disks[1].size == 2);
  CHECK(g.disks[1].volume.empty());
  REQUIRE(g.nics.size() == 1);
  CHECK(g.nics[0].network == "default");
  CHECK(g.nics[0].mac == "52:54:00:00:00:07");
  CHECK(virDomainIsActive(domain.get()) == 1);
  CHECK(std::string{virDomainGetName(domain.get())} == "web");
  CHECK(agents::difference(before, agents::read_domain(xml_of(domain.get(), 0))).empty());
  CHECK_THAT(xml_of(domain.get(), 0), Contains("adopted"));
  CHECK_THAT(xml_of(domain.get(), VIR_DOMAIN_XML_INACTIVE), Contains("adopted") && Contains("an old one"));
}

TEST_CASE_METHOD(adoption_fixture, "an adoption turns libvirt's autostart off, and says so") {
  const auto domain = define("");
  agents::must(virDomainSetAutostart(domain.get(), 1));
  CHECK_THAT(raw("Adopt", wish()), Contains("autostart of the domain is off now"));
  int on = 1;
  agents::must(virDomainGetAutostart(domain.get(), &on));
  CHECK(on == 0);
  CHECK_THAT(raw("Adopt", wish()), !Contains("autostart"));
}

TEST_CASE_METHOD(adoption_fixture, "disks that a machine only reads are said to be so") {
  define(disk_xml("vda", raw_disk, "raw") + "<disk type='file' device='cdrom'><source file='" + qcow2_disk +
         "'/><target dev='sda' bus='sata'/></disk>");
  const auto g = adopt();
  CHECK_FALSE(g.disks.at(0).extra.contains("read_only"));
  CHECK(g.disks.at(1).extra.at("read_only") == "true");
}

TEST_CASE_METHOD(adoption_fixture, "an adoption that is repeated succeeds once more") {
  define(usual_devices());
  const auto first = adopt();
  CHECK(first.state == "shutoff");
  CHECK(rpc::encode(adopt()) == rpc::encode(first));
}

TEST_CASE_METHOD(adoption_fixture, "every action reaches an adopted machine, whose devices all stay") {
  const auto domain = define(usual_devices());
  auto g = adopt();
  g = guest("Run", g);
  CHECK(g.state == "running");
  CHECK(guest("Status", g).state == "running");
  CHECK(guest("Suspend", g).state == "paused");
  CHECK(guest("Resume", g).state == "running");
  CHECK(guest("Poweroff", g).state == "shutoff");
  g.memory = 512;
  change("Update", g, R"({"memory":512})");
  g = guest("Run", g);
  CHECK_FALSE(metrics("DiskMetrics", g).disk.empty());
  const auto now = xml();
  CHECK_THAT(now, Contains("type='vnc'") && Contains("tablet") && Contains("an old one") && Contains("adopted"));
  CHECK(agents::read_domain(now).memory == 512 * 1024);
  CHECK(agents::read_domain(now).disks.size() == 2);
}

TEST_CASE_METHOD(adoption_fixture, "an update changes only what the guest has otherwise") {
  define(usual_devices());
  auto g = adopt();
  g.cpu = 3;
  change("Update", g, R"({"cpu":3})");
  CHECK(agents::read_domain(xml()).memory == 262245);
  CHECK(agents::read_domain(xml()).cpus == 3);
}

TEST_CASE_METHOD(adoption_fixture, "disks of the store are added to an adopted machine, and taken off it") {
  define(usual_devices());
  auto g = adopt();
  g.disks.push_back(own_disk(2));
  g.disks[2].device.clear();
  g = change("AttachDisk", g, R"({"size":8})");
  CHECK(g.disks[2].device == "vdc");
  CHECK(guest("Run", g).state == "running");
  guest("Poweroff", g);
  change("DetachDisk", g, R"({"disk":1,"device":"vdb"})");
  CHECK(agents::read_domain(xml()).disks.size() == 2);
  CHECK(fs::exists(raw_disk));
}

TEST_CASE_METHOD(adoption_fixture, "a deleted guest that was adopted leaves its disks, and says so") {
  define(usual_devices());
  const auto g = adopt();
  CHECK_THAT(raw("Delete", g), Contains("stay: " + qcow2_disk + ", " + raw_disk));
  CHECK(fs::exists(raw_disk));
  CHECK(fs::exists(qcow2_disk));
  CHECK_THROWS_WITH(guest("Run", g), Contains("no domain"));
}

TEST_CASE_METHOD(adoption_fixture, "a delete takes no saved state and no snapshot of an adopted machine along") {
  const auto domain = start(define(usual_devices()));
  const auto g = adopt();
  SECTION("a saved state") {
    guest("Hibernate", g);
    CHECK_THROWS_WITH(guest("Delete", g), Contains("conflict") && Contains("a saved state"));
    CHECK(virDomainHasManagedSaveImage(domain.get(), 0) == 1);
    agents::must(virDomainManagedSaveRemove(domain.get(), 0));
  }
  SECTION("a snapshot") {
    const auto snapshot = agents::must(virDomainSnapshotCreateXML(domain.get(), "<domainsnapshot/>", 0));
    CHECK_THROWS_WITH(guest("Delete", g), Contains("conflict") && Contains("snapshots"));
    CHECK(virDomainIsActive(domain.get()) == 1);
    agents::must(virDomainSnapshotDelete(snapshot, 0));
    virDomainSnapshotFree(snapshot);
  }
  CHECK(guest("Delete", g).state == "shutoff");
  CHECK_FALSE(agents::find_domain(other.get(), id));
}

TEST_CASE_METHOD(adoption_fixture, "an adopted machine starts only with the files that were recorded") {
  const auto link = home / "images" / "link.img";
  fs::create_symlink(raw_disk, link);
  define(disk_xml("vda", link, "raw"));
  const auto g = adopt();
  fs::remove(link);
  fs::create_symlink(qcow2_disk, link);
  CHECK_THROWS_WITH(guest("Run", g), Contains("disk vda"));
  fs::remove(link);
  fs::create_symlink(raw_disk, link);
  guest("Poweroff", guest("Run", g));
  CHECK(agents::read_domain(xml()).disks.at(0).source == raw_disk); // so that QEMU follows no link
}

TEST_CASE_METHOD(adoption_fixture,
                 "a disk whose format an administrator changed does not start with the recorded one") {
  define(disk_xml("vda", raw_disk, "raw"));
  const auto g = adopt();
  edit("type='raw'", "type='qcow2'");
  CHECK_THROWS_WITH(guest("Run", g), Contains("disk vda: its format has changed since it was adopted"));
  edit("type='qcow2'", "type='raw'");
  CHECK(guest("Run", g).state == "running");
}

TEST_CASE_METHOD(adoption_fixture, "a machine does not start with a disk that another one writes to meanwhile") {
  define(disk_xml("vda", raw_disk, "raw"));
  const auto g = adopt();
  const auto twin = start(define(disk_xml("vda", raw_disk, "raw"), {}, "twin", "0a1b2c3d-0000-4000-8000-000000000008"));
  CHECK_THROWS_WITH(guest("Run", g), Contains("in use by twin"));
  agents::must(virDomainDestroy(twin.get()));
  CHECK(guest("Run", g).state == "running");
}

TEST_CASE_METHOD(adoption_fixture, "a disk that an administrator added later does not start") {
  const auto domain = define(disk_xml("vda", qcow2_disk, "qcow2"));
  const auto g = adopt();
  edit("</devices>", disk_xml("vdb", raw_disk, "raw") + "</devices>");
  CHECK_THROWS_WITH(guest("Run", g), Contains("disk vdb"));
}

TEST_CASE_METHOD(adoption_fixture, "what a guest writes to its raw disk opens no other file") {
  test::qcow2_maker evil;
  evil.backing = "/etc/shadow";
  dir.write("images/data.img", evil.bytes());
  define(disk_xml("vda", raw_disk, "raw"));
  const auto g = guest("Run", adopt());
  CHECK(g.disks[0].extra.at("format") == R"("raw")");
  CHECK_THAT(xml(), !Contains("shadow") && Contains("type='raw'"));
}

TEST_CASE_METHOD(adoption_fixture, "a qcow2 disk that stands on other files than before does not start") {
  test::qcow2_maker top;
  top.backing = "data.img";
  top.backing_format = "raw";
  dir.write("images/top.qcow2", top.bytes());
  define(disk_xml("vda", home / "images/top.qcow2", "qcow2"));
  const auto g = adopt();
  guest("Poweroff", guest("Run", g));
  top.backing = "root.qcow2";
  top.backing_format = "qcow2";
  dir.write("images/top.qcow2", top.bytes());
  CHECK_THROWS_WITH(guest("Run", g), Contains("other files are behind it"));
}

TEST_CASE_METHOD(adoption_fixture, "an adoption of a guest renews what was recorded") {
  define(disk_xml("vda", raw_disk, "raw"));
  auto g = adopt();
  edit("source file='" + raw_disk, "source file='" + qcow2_disk);
  edit("type='raw'", "type='qcow2'");
  CHECK_THROWS_WITH(guest("Run", g), Contains("disk vda"));
  g = guest("Adopt", g);
  CHECK(g.disks.at(0).source == qcow2_disk);
  CHECK(g.disks.at(0).extra.at("format") == R"("qcow2")");
  CHECK(guest("Run", g).state == "running");
}
