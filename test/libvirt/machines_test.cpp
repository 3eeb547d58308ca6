#include "rpc/agents/libvirt/defaults.hpp"
#include "rpc/agents/libvirt/domain_builder.hpp"
#include "rpc/agents/libvirt/states.hpp"
#include "test/libvirt/fixture.hpp"

#include <atomic>
#include <fstream>
#include <thread>

using namespace mistify;
using Catch::Contains;
using test::libvirt_fixture;

TEST_CASE_METHOD(libvirt_fixture, "a guest is defined with its id as name and UUID, and does not run yet") {
  const auto g = guest("CreateGuest", whole());
  CHECK(g.state == "shutoff");
  const auto there = domain();
  CHECK(virDomainGetName(there.get()) == std::string{id});
  CHECK(virDomainIsPersistent(there.get()) == 1);
  CHECK(virDomainIsActive(there.get()) == 0);
  CHECK(virDomainGetMaxMemory(there.get()) == 256 * 1024);
}

TEST_CASE_METHOD(libvirt_fixture, "a created guest has what libvirt chose filled in, and the rest as it was") {
  const auto wish = whole();
  const auto g = guest("CreateGuest", wish);
  REQUIRE(g.disks.size() == 2);
  CHECK(g.disks[0].bus == "virtio");
  CHECK(g.disks[0].device == "vda");
  CHECK(g.disks[1].device == "vdb");
  CHECK(g.disks[1].source == wish.disks[1].source);
  CHECK(g.disks[1].extra.at("format") == "\"qcow2\"");
  CHECK(g.disks[1].size == 9);
  CHECK(g.disks[1].extra.at("tier") == "[1.0]");
  REQUIRE(g.nics.size() == 2);
  CHECK(g.nics[0].name == "net0");
  CHECK_THAT(g.nics[0].mac, Catch::StartsWith("52:54:00:"));
  CHECK(g.nics[1].name == "back");
  CHECK(g.metadata == whole().metadata);
  CHECK(g.extra == whole().extra);
}

TEST_CASE_METHOD(libvirt_fixture, "the nics of a running guest have devices, and its VNC port is told") {
  auto g = whole();
  g.vnc = 5917;
  g.metadata["vnc.password"] = "sesame";
  g = guest("Run", guest("CreateGuest", g));
  CHECK_FALSE(g.nics[0].device.empty());
  CHECK(g.nics[0].device != g.nics[1].device);
  CHECK(g.vnc == 5917);
}

TEST_CASE_METHOD(libvirt_fixture, "every domain that is built is valid by libvirt's own schema") {
  const agents::disk_places allowed{places()};
  for (auto g : {small(), whole()}) {
    agents::settle_defaults(g);
    agents::machine_plan plan{.disks = {}, .kernel = "/k", .initrd = "/i", .vnc_port = 5901, .vnc_password = "a"};
    for (const auto& disk : g.disks)
      plan.disks.push_back(allowed.find(disk, id, "disk"));
    const auto built = agents::build_domain_xml(g, plan, agents::look_at_host(other.get()), "/c.log");
    INFO(built);
    const agents::domain_ptr valid{virDomainDefineXMLFlags(other.get(), built.c_str(), VIR_DOMAIN_DEFINE_VALIDATE)};
    CHECK(valid);
    CHECK(virDomainUndefine(valid.get()) == 0);
  }
}

TEST_CASE_METHOD(libvirt_fixture, "a guest goes through its life") {
  auto g = guest("CreateGuest", small());
  CHECK((g = guest("Run", g)).state == "running");
  CHECK((g = guest("Suspend", g)).state == "paused");
  CHECK((g = guest("Run", g)).state == "running");
  CHECK((g = guest("Reboot", g)).state == "running");
  CHECK((g = guest("Suspend", g)).state == "paused");
  CHECK((g = guest("Restart", g)).state == "running");
  CHECK((g = guest("Shutdown", g)).state == "shutoff");
  CHECK((g = guest("Run", g)).state == "running");
  CHECK((g = guest("Poweroff", g)).state == "shutoff");
  CHECK((g = guest("Delete", g)).state == "shutoff");
  CHECK_FALSE(agents::find_domain(other.get(), id));
}

TEST_CASE_METHOD(libvirt_fixture, "a running guest is deleted too, with the log of its console") {
  std::ofstream{consoles / (std::string{id} + ".log")} << "hello";
  std::ofstream{consoles / (std::string{id} + ".log.0")} << "older";
  guest("Run", guest("CreateGuest", small()));
  CHECK(guest("Delete", small()).state == "shutoff");
  CHECK_FALSE(agents::find_domain(other.get(), id));
  CHECK(std::filesystem::is_empty(consoles));
}

TEST_CASE_METHOD(libvirt_fixture, "what is done already succeeds once more") {
  const auto g = guest("CreateGuest", whole());
  CHECK(guest("CreateGuest", whole()).nics[0].mac == g.nics[0].mac);
  CHECK(guest("CreateGuest", g).state == "shutoff");
  guest("Run", g);
  CHECK(guest("Run", g).state == "running");
  CHECK(guest("CreateGuest", whole()).state == "running");
  guest("Suspend", g);
  CHECK(guest("Suspend", g).state == "paused");
  guest("Poweroff", g);
  CHECK(guest("Poweroff", g).state == "shutoff");
  CHECK(guest("Shutdown", g).state == "shutoff");
  guest("Delete", g);
  CHECK(guest("Delete", g).state == "shutoff");
}

TEST_CASE_METHOD(libvirt_fixture, "a machine of the same id and another shape is not touched") {
  guest("CreateGuest", small());
  auto g = small();
  g.memory = 512;
  CHECK_THROWS_WITH(raw("CreateGuest", g), "the domain exists already, with other memory");
  CHECK(virDomainGetMaxMemory(domain().get()) == 256 * 1024);
}

TEST_CASE_METHOD(libvirt_fixture, "what cannot be done says why") {
  guest("CreateGuest", small());
  CHECK_THROWS_WITH(raw("Restart", small()), "conflict: the guest is off");
  CHECK_THROWS_WITH(raw("Suspend", small()), "conflict: the guest is off");
  auto g = small("0a1b2c3d-0000-4000-8000-000000000002");
  CHECK_THROWS_WITH(raw("Run", g), "no domain 0a1b2c3d-0000-4000-8000-000000000002");
  g.memory = 0;
  CHECK_THROWS_WITH(raw("CreateGuest", g), Contains("memory"));
}

TEST_CASE_METHOD(libvirt_fixture, "ids that are no UUID are refused by every method") {
  for (const auto* bad : {"", "x", "../../../../etc/passwd-000000000000", "0a1b2c3d-0000-4000-8000-00000000000/"})
    for (const auto* method : {"CreateGuest", "Run", "Delete", "Status", "NicMetrics"})
      CHECK_THROWS_WITH(raw(method, small(bad)), Contains("invalid argument"));
}

TEST_CASE_METHOD(libvirt_fixture, "a disk that is not the guest's is refused, and nothing is defined") {
  auto g = small();
  g.disks = {own_disk(0), disk_of("", "/etc/shadow")};
  CHECK_THROWS_WITH(raw("CreateGuest", g), Contains("disks[1].source: ") && Contains("does not lie in the store"));
  CHECK_FALSE(agents::find_domain(other.get(), id));
}

TEST_CASE_METHOD(libvirt_fixture, "Create starts the guest too, and does not mind if it runs") {
  CHECK(guest("Create", whole()).state == "running");
  CHECK(guest("Create", whole()).state == "running");
}

TEST_CASE_METHOD(libvirt_fixture, "a guest that crashed is told from one that is off") {
  const auto g = guest("CreateGuest", small());
  guest("Run", g);
  REQUIRE(virDomainCoreDump(domain().get(), (consoles / "core").c_str(), VIR_DUMP_CRASH) == 0);
  CHECK(guest("Status", g).state == "crashed");
  CHECK(guest("Run", g).state == "running");
}

TEST_CASE_METHOD(libvirt_fixture, "metrics are those of libvirt, in seconds, by device and by name") {
  auto g = guest("Run", guest("CreateGuest", whole()));
  const auto cpu = metrics("CPUMetrics", g);
  REQUIRE(cpu.cpu.size() == 2);
  CHECK(cpu.type == "cpu");
  CHECK(cpu.guest.id == id);
  CHECK(cpu.cpu[0].vcpu_time > 0);
  CHECK(cpu.cpu[0].cpu_time >= cpu.cpu[0].vcpu_time);
  const auto disk = metrics("DiskMetrics", g);
  REQUIRE(disk.disk.size() == 2);
  CHECK(disk.disk.at("vdb").disk == "vdb");
  CHECK(disk.disk.at("vdb").read_bytes > 0);
  const auto nic = metrics("NicMetrics", g);
  REQUIRE(nic.nic.size() == 2);
  CHECK(nic.nic.at("back").name == "back");
  CHECK(nic.nic.at("net0").tx_packets > 0);
}

TEST_CASE_METHOD(libvirt_fixture, "a guest that is off, or has no machine, uses nothing") {
  for (const auto* made : {"none", "CreateGuest"}) {
    if (made != std::string{"none"})
      guest(made, whole());
    CHECK(metrics("CPUMetrics", whole()).cpu.empty());
    CHECK(metrics("DiskMetrics", whole()).disk.empty());
    CHECK(metrics("NicMetrics", whole()).nic.empty());
  }
}

TEST_CASE_METHOD(libvirt_fixture, "forty guests live at the same time") {
  std::atomic<int> lived{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i)
    threads.emplace_back([&, i] {
      const auto g = small("0a1b2c3d-0000-4000-8000-0000000001" + std::to_string(10 + i));
      try {
        guest("CreateGuest", g);
        if (guest("Run", g).state == "running" && guest("Shutdown", g).state == "shutoff") {
          guest("Delete", g);
          ++lived;
        }
      } catch (const std::exception&) { // an assertion of Catch's may not fail on another thread
      }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(lived == 40);
}

TEST_CASE_METHOD(libvirt_fixture, "calls on one guest take turns: whatever they are, none fails") {
  guest("CreateGuest", small());
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round)
        try {
          guest(i % 2 ? "Run" : "Poweroff", small());
        } catch (const std::exception&) {
          ++failures;
        }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(failures == 0);
}

TEST_CASE("a folder of known guests that another process has is refused") {
  const test::temp_dir dir;
  const agents::libvirt_settings settings{.consoles = dir.path() / "consoles", .state = dir.path() / "state"};
  {
    const agents::libvirt_agent agent{0, settings};
    CHECK_THROWS_WITH((agents::libvirt_agent{0, settings}), Contains("in use by another process"));
  }
  CHECK_NOTHROW(agents::libvirt_agent{0, settings});
  CHECK_NOTHROW(agents::libvirt_agent{0, {.consoles = dir.path() / "consoles", .state = "/proc/none"}});
}

TEST_CASE("without a hypervisor every call says why") {
  agents::libvirt_agent agent{0, {.uri = "test:///no/such/file", .consoles = "/tmp"}};
  test::caller call{agent.server()};
  CHECK_THROWS_WITH(call("Libvirt.Status", R"({"guest":{"id":"0a1b2c3d-0000-4000-8000-000000000001"}})"),
                    Contains("/no/such/file"));
}
