#include "rpc/agents/libvirt/adoption.hpp"

#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/base/error.hpp"
#include "rpc/model/unmanaged.hpp"
#include "test/libvirt/fixture.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace mistify;
using Catch::Contains;
using test::libvirt_fixture;

namespace fs = std::filesystem;

namespace {

/// A domain of an administrator, with disks outside of the store.
struct adoption_fixture : libvirt_fixture {
  std::string raw_disk = dir.write("images/data.img", std::string(2 << 20, 'x'));
  std::string qcow2_disk = dir.write("images/root.qcow2", test::qcow2_maker{}.bytes());

  static std::string disk_xml(const std::string& device, const std::string& path, const std::string& format) {
    return "<disk type='file' device='disk'><driver name='qemu' type='" + format + "'/><source file='" + path +
           "'/><target dev='" + device + "' bus='virtio'/></disk>";
  }

  std::string usual_devices() const {
    return disk_xml("vda", qcow2_disk, "qcow2") + disk_xml("vdb", raw_disk, "raw") +
           "<interface type='network'><source network='default'/><mac address='52:54:00:00:00:07'/>"
           "<model type='virtio'/></interface>"
           "<graphics type='vnc' port='-1' autoport='yes'/><input type='tablet' bus='usb'/>";
  }

  agents::domain_ptr define(const std::string& devices, const std::string& more = {}, const std::string& name = "web",
                            const std::string& uuid = id) {
    const auto xml = "<domain type='test'><name>" + name + "</name><uuid>" + uuid +
                     "</uuid><title>an old one</title><memory>262245</memory><vcpu>2</vcpu>"
                     "<os><type>hvm</type>" +
                     more + "</os><devices>" + devices + "</devices></domain>";
    return agents::domain_ptr{agents::must(virDomainDefineXML(other.get(), xml.c_str()))};
  }

  agents::domain_ptr start(agents::domain_ptr d) {
    agents::must(virDomainCreate(d.get()));
    return d;
  }

  static rpc::guest wish() {
    rpc::guest g;
    g.id = id;
    g.state = "adopt";
    g.metadata = {{"owner", "ann"}};
    return g;
  }

  rpc::guest adopt() { return guest("Adopt", wish()); }

  rpc::guest change(const std::string& method, const rpc::guest& g, const std::string& params) {
    const auto answer = rpc::json::document::parse(
      call("Libvirt." + method, R"({"guest":)" + rpc::encode(g) + R"(,"action":"x","params":)" + params + "}"));
    return rpc::decode_guest(*answer.root().find("guest"));
  }

  std::vector<rpc::unmanaged_domain> unmanaged() {
    return rpc::decode_unmanaged_results("[" + call("Libvirt.ListUnmanaged", "{}") + "]");
  }

  rpc::unmanaged_domain listed(const std::string& name = "web") {
    for (const auto& one : unmanaged())
      if (one.name == name)
        return one;
    throw std::runtime_error{"not listed"};
  }

  /// As an administrator does.
  void edit(const std::string& before, const std::string& after) {
    auto text = xml();
    text.replace(text.find(before), before.size(), after);
    agents::domain_ptr{agents::must(virDomainDefineXML(other.get(), text.c_str()))};
  }

  std::string refusal() {
    try {
      adopt();
      return "taken";
    } catch (const std::exception& e) {
      return e.what();
    }
  }

  static std::string xml_of(virDomainPtr d, unsigned flags) {
    return agents::text_ptr{agents::must(virDomainGetXMLDesc(d, flags))}.get();
  }
};

} // namespace

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

TEST_CASE_METHOD(adoption_fixture, "the record of one domain allows nothing to another") {
  define(disk_xml("vda", raw_disk, "raw"));
  adopt();
  auto g = small("0a1b2c3d-0000-4000-8000-000000000002");
  g.disks = {disk_of("", raw_disk)};
  CHECK_THROWS_WITH(guest("CreateGuest", g), Contains("disks[0].source"));
}

TEST_CASE_METHOD(adoption_fixture, "a create does not take an adopted domain for its own") {
  define("");
  adopt();
  CHECK_THROWS_WITH(guest("CreateGuest", small()), Contains("conflict") && Contains("left alone: web"));
}

TEST_CASE_METHOD(adoption_fixture, "domains that cannot be guests are refused, and keep no mark") {
  SECTION("one that is not there") {
    CHECK_THAT(refusal(), Contains("no domain"));
    return;
  }
  SECTION("a network disk") {
    define("<disk type='network' device='disk'><source protocol='nbd' name='x'><host name='h'/></source>"
           "<target dev='vda' bus='virtio'/></disk>");
    CHECK_THAT(refusal(), Contains("disk vda: is neither a file nor a block device"));
  }
  SECTION("a format whose headers are not read here") {
    define(disk_xml("vda", raw_disk, "vmdk"));
    CHECK_THAT(refusal(), Contains("vmdk"));
  }
  SECTION("a disk that is not there") {
    define(disk_xml("vda", home / "nowhere.img", "raw"));
    CHECK_THAT(refusal(), Contains("nowhere.img: cannot be looked at"));
  }
  SECTION("another guest's disk") {
    define(disk_xml("vda", own_disk(0, "0a1b2c3d-0000-4000-8000-000000000009").source, "qcow2"));
    CHECK_THAT(refusal(), Contains("another guest's disk"));
  }
  SECTION("a disk that stands on a file of the store") {
    test::qcow2_maker top;
    top.backing = put_volume("images/base");
    top.backing_format = "qcow2";
    define(disk_xml("vda", dir.write("images/top.qcow2", top.bytes()), "qcow2"));
    CHECK_THAT(refusal(), Contains("stands on a file of the store"));
  }
  SECTION("a header that leaves the format behind it open") {
    test::qcow2_maker top;
    top.backing = "data.img";
    top.backing_format.clear();
    define(disk_xml("vda", dir.write("images/top.qcow2", top.bytes()), "qcow2"));
    CHECK_THAT(refusal(), Contains("does not say which format"));
  }
  SECTION("a disk of another domain, too") {
    define(disk_xml("vda", raw_disk, "raw"), {}, "twin", "0a1b2c3d-0000-4000-8000-000000000008");
    define(disk_xml("vda", raw_disk, "raw"));
    CHECK_THAT(refusal(), Contains("in use by twin"));
  }
  SECTION("a disk that only the machine has that runs") {
    const auto domain = start(define(disk_xml("vda", raw_disk, "raw")));
    define(disk_xml("vda", qcow2_disk, "qcow2"));
    CHECK_THAT(refusal(), Contains("disk vda: the machine runs with it") && Contains(raw_disk));
    CHECK_THAT(listed().reason, Contains("the machine runs with it"));
  }
  SECTION("a nic in QEMU's user network") {
    define("<interface type='user'/>");
    CHECK_THAT(refusal(), Contains("needs a network"));
  }
  const auto there = agents::find_domain(other.get(), id);
  CHECK_FALSE(agents::read_mark(there.get()));
}

TEST_CASE_METHOD(adoption_fixture, "a guest's own machine, and a domain that does not last, are not adopted") {
  guest("CreateGuest", small());
  CHECK_THAT(refusal(), Contains("conflict: the domain is a guest's machine already"));
  guest("Delete", small());
  const std::string xml = std::string{"<domain type='test'><name>short</name><uuid>"} + id +
                          "</uuid><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>";
  const agents::domain_ptr domain{agents::must(virDomainCreateXML(other.get(), xml.c_str(), 0))};
  CHECK_THAT(refusal(), Contains("transient"));
  CHECK_THAT(listed("short").reason, Contains("transient"));
}

TEST_CASE_METHOD(adoption_fixture, "a mark without an adopted guest makes the domain nobody's") {
  const auto domain = start(define(usual_devices()));
  adopt(); // the agent never had the answer
  const auto before = xml_of(domain.get(), VIR_DOMAIN_XML_INACTIVE);
  const auto claimed = small();
  for (const auto* method :
       {"CreateGuest", "Create", "Run", "Reboot", "Restart", "Shutdown", "Poweroff", "Suspend", "Resume", "Hibernate"})
    CHECK_THROWS_WITH(raw(method, claimed), Contains("conflict") && Contains("left alone: web"));
  CHECK_THROWS_WITH(change("Update", claimed, R"({"memory":512})"), Contains("left alone: web"));
  CHECK_THAT(raw("Delete", claimed), Contains(R"("message":"left alone: web")"));
  CHECK(guest("Status", claimed).state == "unknown");
  CHECK(metrics("CPUMetrics", claimed).cpu.empty());
  CHECK(virDomainIsActive(domain.get()) == 1);
  CHECK(xml_of(domain.get(), VIR_DOMAIN_XML_INACTIVE) == before);
  CHECK_FALSE(listed().name.empty());
}

TEST_CASE_METHOD(adoption_fixture, "a mark that was copied with a definition makes no guest of the copy") {
  const auto domain = define("");
  agents::write_mark(domain.get(), {.id = "0a1b2c3d-0000-4000-8000-000000000077"});
  CHECK(guest("Status", small()).state == "unknown");
  CHECK_THROWS_WITH(guest("Poweroff", small()), Contains("left alone: web"));
  CHECK_THAT(refusal(), Contains("mark of another guest's adoption"));
  CHECK_THAT(listed().reason, Contains("mark of another guest"));
}

TEST_CASE_METHOD(adoption_fixture, "the list has domains that are no guests, with what they are made of") {
  start(define(usual_devices()));
  guest("CreateGuest", small("0a1b2c3d-0000-4000-8000-000000000002"));
  const auto all = unmanaged();
  CHECK(std::ranges::none_of(all, [](const auto& one) { return one.id == "0a1b2c3d-0000-4000-8000-000000000002"; }));
  auto web = listed();
  CHECK(web.id == id);
  CHECK(web.state == "running");
  CHECK(web.memory == 256);
  CHECK(web.cpu == 2);
  CHECK(web.adoptable);
  CHECK_FALSE(web.marked);
  REQUIRE(web.disks.size() == 2);
  CHECK(web.disks[1].source == raw_disk);
  CHECK(web.disks[1].size == 2);
  CHECK(web.nics.at(0).mac == "52:54:00:00:00:07");
  adopt();
  CHECK(listed().marked);
}

TEST_CASE_METHOD(adoption_fixture,
                 "a domain that is not adoptable is listed with the reason, and does not hide others") {
  define(disk_xml("vda", home / "nowhere.img", "raw"));
  const auto web = listed();
  CHECK_FALSE(web.adoptable);
  CHECK_THAT(web.reason, Contains("disk vda"));
  CHECK(web.disks.size() == 1);
  CHECK(listed("test").state == "running"); // the one that the test driver begins with
}

TEST_CASE_METHOD(adoption_fixture, "one call at a time lists domains, and others are told so") {
  define(usual_devices());
  std::atomic<int> answered = 0, refused = 0;
  const auto ask = [&] {
    try {
      rpc::client{test::caller::at(agent.server())}.call("Libvirt.ListUnmanaged", "{}", std::chrono::seconds{30}, {});
      ++answered;
    } catch (const rpc::failure& e) {
      refused += e.message().find("in use by another call") != std::string::npos;
    }
  };
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 8; ++i)
      callers.emplace_back(ask);
  }
  CHECK(answered >= 1);
  CHECK(answered + refused == 8);
}

TEST_CASE_METHOD(adoption_fixture, "a domain with a great many devices is listed with some of them") {
  std::string nics;
  for (int i = 0; i < 300; ++i)
    nics += "<interface type='network'><source network='default'/></interface>";
  define(nics);
  CHECK(listed().nics.size() == 256);
  CHECK_THAT(listed().reason, Contains("nics: more than 256"));
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

TEST_CASE_METHOD(adoption_fixture, "a recorded kernel is allowed to its domain") {
  const auto kernel = dir.write("boot/vmlinuz", "x");
  define(disk_xml("vda", raw_disk, "raw"), "<kernel>" + kernel + "</kernel>");
  const auto g = adopt();
  CHECK(guest("Run", g).state == "running");
}

TEST_CASE_METHOD(adoption_fixture, "an adopted guest's log is refused unless its machine writes one") {
  agents::domain_notes notes;
  agents::hypervisor same{uri};
  agents::machines machines{same, consoles, {agents::disk_places{places()}}, notes};
  define("");
  adopt();
  CHECK_THROWS_WITH(machines.is_there(id, true), Contains("conflict") && Contains("logs no console"));
  define("<serial type='null'><log file='" + (consoles / (std::string{id} + ".log")).string() + "'/></serial>");
  adopt();
  CHECK(machines.is_there(id, true));
}

TEST_CASE("a mark reads as it was written") {
  using images::disk_format;
  const agents::adoption mark{
    .id = "u",
    .disks = {{{"/a b/<&'\".qcow2", disk_format::qcow2}, {"/dev/vg/x", disk_format::raw, true}}},
    .boot_files = {"/k"}};
  const auto read = agents::decode_mark(agents::encode_mark(mark));
  REQUIRE(read);
  CHECK(read->id == "u");
  REQUIRE(read->disks.size() == 1);
  CHECK(read->disks[0][0].path == "/a b/<&'\".qcow2");
  CHECK(read->disks[0][0].format == disk_format::qcow2);
  CHECK(read->disks[0][1].is_device);
  CHECK(read->boot_files == std::vector<std::string>{"/k"});
  CHECK_FALSE(agents::decode_mark("<other/>"));
  CHECK_FALSE(agents::decode_mark("<"));
}
