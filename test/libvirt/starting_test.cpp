#include "rpc/agents/libvirt/domain_reader.hpp"
#include "test/libvirt/fixture.hpp"

using namespace mistify;
using Catch::Contains;
using test::libvirt_fixture;

namespace {

/// A machine as earlier versions made them: what a client said stands in its XML.
struct earlier_fixture : libvirt_fixture {
  void make(const std::string& devices) {
    const auto text = std::string{"<domain type='test'><name>"} + id + "</name><uuid>" + id +
                      "</uuid><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>" + devices +
                      "</devices></domain>";
    const agents::domain_ptr made{agents::must(virDomainDefineXML(other.get(), text.c_str()))};
  }
  static std::string disk_xml(const std::string& path, const std::string& format) {
    return "<disk type='file' device='disk'><driver name='qemu' type='" + format + "'/><source file='" + path +
           "'/><target dev='vda' bus='virtio'/></disk>";
  }
  bool runs() { return virDomainIsActive(domain().get()) == 1; }
};

} // namespace

TEST_CASE_METHOD(earlier_fixture, "a disk whose format a client named starts with that of its place") {
  make(disk_xml(own_disk(0).source, "raw"));
  CHECK(guest("Run", small()).state == "running");
  CHECK(agents::read_domain(xml()).disks.at(0).format == "qcow2");
  CHECK_THAT(xml(), Contains("<backingStore/>"));
  CHECK_THAT(xml(), Contains("<seclabel model='dac' relabel='no'/>"));
}

TEST_CASE_METHOD(earlier_fixture, "a machine with a file of the host as its disk, or behind it, does not start") {
  make(disk_xml("/etc/hostname", "raw"));
  CHECK_THROWS_WITH(raw("Run", small()), Contains("disk vda: ") && Contains("does not lie in the store"));
  CHECK_FALSE(runs());
  guest("Delete", small());
  const auto disk = own_disk(0);
  make(disk_xml(disk.source, "qcow2"));
  put_volume(disk.volume, {.backing = "/etc/hostname"});
  CHECK_THROWS_WITH(raw("Run", small()), Contains("does not lie in the store"));
  CHECK_FALSE(runs());
}

TEST_CASE_METHOD(libvirt_fixture, "what came to lie behind a disk since its last start is what it starts with") {
  const auto g = guest("CreateGuest", whole());
  guest("Poweroff", guest("Run", g));
  put_volume(g.disks[0].volume + "@s");
  put_volume(g.disks[0].volume, {.backing = "disk-0@s.qcow2"});
  CHECK(guest("Run", g).state == "running");
  CHECK_THAT(xml(), Contains("disk-0@s.qcow2"));
}

TEST_CASE_METHOD(earlier_fixture, "a machine on QEMU's user network does not start") {
  make("<interface type='user'><model type='virtio'/></interface>");
  CHECK_THROWS_WITH(raw("Run", small()), Contains("nics[0].network: ") && Contains("--user-network"));
  CHECK_FALSE(runs());
}

TEST_CASE_METHOD(libvirt_fixture, "a nic without a network is refused, whatever else it says") {
  for (const auto* nic : {"{}", R"({"network":""})", R"({"model":"user"})", R"({"name":"a","device":"tap0"})"}) {
    auto g = small();
    g.nics = test::nics(R"([{"network":"default"},)" + std::string{nic} + "]");
    CHECK_THROWS_WITH(raw("CreateGuest", g), Contains("nics[1].network: ") && Contains("loopback"));
  }
  CHECK_FALSE(agents::find_domain(other.get(), id));
}

TEST_CASE_METHOD(libvirt_fixture, "no name of a network means the user network") {
  for (const auto* network : {"user", "slirp", "none", "default,model=virtio"}) {
    auto g = small();
    g.nics = test::nics("[{}]");
    g.nics[0].network = network;
    guest("CreateGuest", g);
    CHECK_THAT(xml(), !Contains("type='user'"));
    guest("Delete", g);
  }
}

TEST_CASE_METHOD(earlier_fixture,
                 "a display without a password is taken away before a start, and the message says so") {
  make("<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/><graphics type='spice' port='5950'/>");
  CHECK_THAT(raw("Run", small()), Contains("started without VNC"));
  CHECK_THAT(xml(), !Contains("<graphics"));
  CHECK(guest("Poweroff", small()).vnc == 0);
  CHECK_THAT(raw("Run", small()), !Contains("message"));
}

TEST_CASE_METHOD(earlier_fixture, "a guest that has a password by now gets its display back, with it") {
  make("<graphics type='vnc' port='5901' autoport='no' listen='127.0.0.1'/>");
  auto g = small();
  g.vnc = 5901;
  g.metadata["vnc.password"] = "sesame";
  CHECK_THAT(raw("Run", g), !Contains("message"));
  CHECK_THAT(xml(), Contains("passwd='sesame'"));
}

TEST_CASE_METHOD(libvirt_fixture, "VNC is there if it is asked for, and a start keeps its password") {
  auto g = small();
  CHECK(guest("Run", guest("CreateGuest", g)).vnc == 0);
  guest("Delete", g);
  g.vnc = 5930;
  CHECK_THROWS_WITH(raw("CreateGuest", g), Contains("needs a password"));
  g.metadata["vnc.password"] = "sesame";
  CHECK(guest("Run", guest("CreateGuest", g)).vnc == 5930);
  CHECK_THAT(xml(), Contains("passwd='sesame'"));
}

TEST_CASE_METHOD(libvirt_fixture, "a guest whose VNC password is removed has no VNC from its next start on") {
  auto g = small();
  g.vnc = 5930;
  g.metadata["vnc.password"] = "sesame";
  g = guest("Run", guest("CreateGuest", g));
  g.metadata.erase("vnc.password");
  CHECK_THAT(raw("Run", g), !Contains("message")); // it runs
  CHECK_THAT(xml(), Contains("passwd='sesame'"));
  guest("Poweroff", g);
  CHECK_THAT(raw("Run", g), Contains("started without VNC") && Contains("set vnc.password (1 to 8 characters)"));
  CHECK_THAT(xml(), !Contains("<graphics") && !Contains("sesame"));
}

TEST_CASE_METHOD(earlier_fixture, "no display of a machine outlives a start, whatever its port and password") {
  make("<graphics type='vnc' port='5901' autoport='no' passwd='old'/>");
  auto g = small();
  g.vnc = 5901;
  g.metadata["vnc.password"] = "new";
  CHECK_THAT(raw("Run", g), !Contains("message"));
  CHECK_THAT(xml(), Contains("passwd='new'") && !Contains("'old'"));
  guest("Delete", g);
  make("<graphics type='vnc' port='5901' autoport='no' passwd='old'/>");
  CHECK_THAT(raw("Run", small()), Contains("started without VNC"));
  CHECK_THAT(xml(), !Contains("<graphics"));
}

TEST_CASE_METHOD(libvirt_fixture, "any port of the range is one that no other machine has, and stays") {
  auto g = small(), h = small("0a1b2c3d-0000-4000-8000-000000000002");
  g.vnc = h.vnc = -1;
  g.metadata["vnc.password"] = h.metadata["vnc.password"] = "a";
  CHECK(guest("CreateGuest", g).vnc == 5900);
  CHECK(guest("CreateGuest", h).vnc == 5901);
  CHECK(guest("CreateGuest", h).vnc == 5901);
}

TEST_CASE_METHOD(libvirt_fixture, "a port of VNC that another machine has is refused by its number") {
  auto g = small(), h = small("0a1b2c3d-0000-4000-8000-000000000002");
  g.vnc = h.vnc = 5940;
  g.metadata["vnc.password"] = h.metadata["vnc.password"] = "a";
  CHECK(guest("CreateGuest", g).vnc == 5940);
  CHECK(guest("CreateGuest", g).vnc == 5940);
  CHECK_THROWS_WITH(raw("CreateGuest", h), std::string{"vnc: port 5940 is taken by "} + id);
  CHECK_THROWS_WITH(raw("Status", h), Contains("no domain"));
  h.vnc = 5941;
  CHECK(guest("CreateGuest", h).vnc == 5941);
  guest("Delete", g);
  guest("Delete", h);
  h.vnc = 5940;
  CHECK(guest("CreateGuest", h).vnc == 5940);
}

TEST_CASE_METHOD(libvirt_fixture, "of two machines that came to have one port of VNC, the first to start has it") {
  auto g = small();
  g.vnc = 5940;
  g.metadata["vnc.password"] = "a";
  g = guest("CreateGuest", g);
  const agents::domain_ptr foreign{agents::must(virDomainDefineXML(
    other.get(), "<domain type='test'><name>theirs</name><memory>65536</memory><os><type>hvm</type></os><devices>"
                 "<graphics type='vnc' port='5940' autoport='no' listen='127.0.0.1'/></devices></domain>"))};
  CHECK(guest("Run", g).vnc == 5940);
  guest("Poweroff", g);
  agents::must(virDomainCreate(foreign.get()));
  CHECK_THROWS_WITH(raw("Run", g), "vnc: port 5940 is taken by theirs");
  agents::must(virDomainDestroy(foreign.get()));
  CHECK(guest("Run", g).state == "running");
}

TEST_CASE_METHOD(libvirt_fixture, "a guest that lost its VNC has it back once it has a password") {
  auto g = small();
  g.vnc = 5930;
  g.metadata["vnc.password"] = "sesame";
  g = guest("CreateGuest", g);
  g.metadata.erase("vnc.password");
  g = guest("Poweroff", guest("Run", g));
  CHECK_THAT(xml(), !Contains("<graphics"));
  CHECK(g.vnc == 5930);
  g.metadata["vnc.password"] = "again";
  CHECK(guest("Run", g).vnc == 5930);
  CHECK_THAT(xml(), Contains("port='5930'") && Contains("passwd='again'"));
}

TEST_CASE_METHOD(earlier_fixture,
                 "a password is all that a guest of before needs for its display, whatever was stored") {
  const auto autoport = "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>";
  for (const std::int64_t stored : {-1, 0, 5700}) { // any, none, a port that it may not have any more
    make(autoport);
    auto g = small();
    g.vnc = stored;
    g = guest("Poweroff", guest("Run", guest("Poweroff", g)));
    CHECK(g.vnc == (stored == 0 ? -1 : stored));
    CHECK_THAT(xml(), !Contains("<graphics"));
    g.metadata["vnc.password"] = "sesame";
    g = guest("Run", g);
    CHECK(g.vnc == 5900);
    CHECK(guest("Run", guest("Poweroff", g)).vnc == 5900);
    CHECK_THAT(xml(), Contains("port='5900'") && Contains("passwd='sesame'"));
    guest("Delete", g);
  }
}

TEST_CASE_METHOD(earlier_fixture, "a display that libvirt chose the port of gets one of the range at the next start") {
  auto h = small("0a1b2c3d-0000-4000-8000-000000000002");
  h.vnc = -1;
  h.metadata["vnc.password"] = "a";
  CHECK(guest("CreateGuest", h).vnc == 5900);
  for (const std::int64_t stored : {-1, 0, 5900}) {
    make("<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>");
    auto g = small();
    g.vnc = stored;
    g.metadata["vnc.password"] = "sesame";
    CHECK(guest("Status", g).vnc == stored);
    CHECK_THAT(raw("Run", g), Contains("\"vnc\":5901") && !Contains("message"));
    CHECK_THAT(xml(), Contains("port='5901'"));
    guest("Delete", g);
  }
}

TEST_CASE_METHOD(libvirt_fixture, "a volume that one guest has is in use for all others") {
  auto g = small(), h = small("0a1b2c3d-0000-4000-8000-000000000002");
  g.disks = h.disks = {disk_of("vols/a", put_volume("vols/a"))};
  guest("CreateGuest", g);
  CHECK_THROWS_WITH(raw("CreateGuest", h), Contains(std::string{"in use by "} + id));
  CHECK(guest("Run", g).state == "running");
  guest("Delete", g);
  CHECK(guest("Create", h).state == "running");
}

TEST_CASE_METHOD(libvirt_fixture, "a guest boots a kernel of the media, and media as read-only disks") {
  auto g = small();
  g.metadata = {{"boot.kernel", put_media("k")}, {"boot.initrd", put_media("i")}};
  g.disks = {disk_of("", put_media("a.iso"))};
  CHECK(guest("Create", g).state == "running");
  CHECK_THAT(xml(), Contains("<readonly/>"));
  g.metadata["boot.initrd"] = "/etc/shadow";
  CHECK_THROWS_WITH(raw("CreateGuest", g), Contains("metadata.boot.initrd: "));
}
