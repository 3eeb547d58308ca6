#include "rpc/agents/examples/test_agent/changes.hpp"
#include "rpc/agents/examples/test_agent/guest_log.hpp"
#include "rpc/agents/examples/test_agent/test_agent.hpp"
#include "test/rpc/agent_calls.hpp"

#include <catch2/catch.hpp>

using namespace mistify;

namespace {

struct changed_guest {
  rpc::guest guest = [] {
    rpc::guest g;
    g.id = "g";
    return g;
  }();

  void change(const char* action, const std::string& params) {
    rpc::guest_request request;
    request.guest = guest;
    request.params = params;
    guest = agents::change_guest(action, request).guest;
  }
};

/// The log of a guest, as the agent asks for it.
std::string log_of(const std::string& request) {
  INFO(request);
  agents::test_agent agent{0};
  const test::caller serves{agent.server()};
  return test::download_from(agent.server(), "/guests/log", request);
}

} // namespace

TEST_CASE_METHOD(changed_guest, "disks of the test agent's guests come, grow and go") {
  change("attachDisk", R"({"size":512,"apply":"live"})");
  change("attachDisk", R"({"size":10,"device":"sdx","bus":"sata","volume":"v"})");
  REQUIRE(guest.disks.size() == 2);
  CHECK(guest.disks[0].device == "vda");
  CHECK(guest.disks[0].bus == "virtio");
  CHECK(guest.disks[0].volume == "guests/g/disk-0");
  CHECK(guest.disks[1].bus == "sata");
  CHECK(guest.disks[1].volume == "v");
  CHECK_THROWS_WITH(change("attachDisk", R"({"size":1,"device":"vda"})"), "device: is a disk of the guest already");
  change("resizeDisk", R"({"device":"sdx","size":20})");
  CHECK(guest.disks[1].size == 20);
  CHECK_THROWS_WITH(change("resizeDisk", R"({"device":"sdx"})"), "params.size: missing");
  CHECK_THROWS_WITH(change("resizeDisk", R"({"device":"vdz","size":20})"), "not found");
  change("detachDisk", R"({"device":"vda"})");
  REQUIRE(guest.disks.size() == 1);
  CHECK(guest.disks[0].device == "sdx");
  CHECK_THROWS_WITH(change("detachDisk", R"({"device":"vda"})"), "not found");
}

TEST_CASE_METHOD(changed_guest, "nics of the test agent's guests come, and go by address, name or place") {
  change("attachNic", R"({"network":"lan","mac":"52:54:00:00:00:01"})");
  change("attachNic", R"({"network":"lan","name":"second"})");
  change("attachNic", R"({"network":"lan"})");
  REQUIRE(guest.nics.size() == 3);
  CHECK(guest.nics[0].name == "net0");
  CHECK(guest.nics[2].name == "net2");
  change("detachNic", R"({"mac":"52:54:00:00:00:01"})");
  change("detachNic", R"({"name":"net2"})");
  REQUIRE(guest.nics.size() == 1);
  CHECK(guest.nics[0].name == "second");
  CHECK_THROWS_WITH(change("detachNic", R"({"name":"net2"})"), "not found");
  CHECK_THROWS_WITH(change("detachNic", "{}"), "params.nic: missing");
  change("detachNic", R"({"nic":0})");
  CHECK(guest.nics.empty());
}

TEST_CASE_METHOD(changed_guest,
                 "an update of the test agent leaves the guest as it came, and other changes are refused") {
  guest.memory = 512;
  change("update", "");
  CHECK(guest.memory == 512);
  CHECK_THROWS_WITH(change("paint", ""), "invalid argument");
}

TEST_CASE("the test agent has twenty lines of a console, or the part that is asked for") {
  const auto all = log_of(R"({"guest":"g"})");
  CHECK(all.starts_with("line 1 of the console\n"));
  CHECK(all.ends_with("line 20 of the console\n"));
  CHECK(log_of(R"({"guest":"g","tail":2})") == "line 19 of the console\nline 20 of the console\n");
  CHECK(log_of(R"({"guest":"g","offset":5,"limit":8})") == all.substr(5, 8));
  CHECK(log_of(R"({"guest":"g","limit":0})").empty());
  CHECK(agents::made_up_log("{").status == 400);
}
