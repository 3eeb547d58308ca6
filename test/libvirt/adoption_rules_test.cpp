#include "rpc/base/error.hpp"
#include "test/libvirt/adoption_fixture.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace mistify;
using Catch::Contains;
using test::adoption_fixture;

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
