#include "rpc/agents/examples/test_agent/test_agent.hpp"
#include "test/rpc/agent_calls.hpp"

#include <catch2/catch.hpp>

using namespace mistify;

namespace {

rpc::guest guest_in(const std::string& answer) {
  const auto document = rpc::json::document::parse(answer);
  return rpc::decode_guest(*document.root().find("guest"));
}

struct fixture {
  agents::test_agent agent{0};
  test::caller call{agent.server()};

  std::string state_after(std::string_view method, std::string_view type = "") {
    return guest_in(call("Test." + std::string{method},
                         R"({"guest":{"id":"g","type":")" + std::string{type} + R"("},"action":"x"})"))
      .state;
  }

  std::string download(std::string_view request) {
    return test::download_from(agent.server(), "/snapshots/download", request);
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "the test agent equips a guest that it creates, and keeps what it does not know") {
  const auto g =
    guest_in(call("Test.Create", R"({"guest":{"id":"g","own":[1.0],"nics":[{"network":"lan"}],)"
                                 R"("disks":[{"image":"i"},{"size":7,"bus":"sata"}],"metadata":{"a":"b"}},)"
                                 R"("action":"create"})"));
  CHECK(g.state == "running");
  CHECK(g.vnc == 5900);
  CHECK(g.nics.at(0).mac == "52:54:00:00:00:00");
  CHECK(g.nics.at(0).device == "vnet0.0");
  CHECK(g.disks.at(0).device == "vda");
  CHECK(g.disks.at(0).volume == "guests/g/disk-0");
  CHECK(g.disks.at(0).source == "/dev/zvol/guests/g/disk-0");
  CHECK(g.disks.at(0).size == 1024);
  CHECK(g.disks.at(1).device == "vdb");
  CHECK(g.disks.at(1).bus == "sata");
  CHECK(g.disks.at(1).size == 7);
  CHECK(g.extra.at("own") == "[1.0]");
  CHECK(g.metadata.at("a") == "b");
}

TEST_CASE_METHOD(fixture, "guests of the test agent change their state") {
  CHECK(state_after("Create") == "running");
  CHECK(state_after("Shutdown") == "shutdown");
  CHECK(state_after("Start") == "running");
  CHECK(state_after("Suspend") == "suspended");
  CHECK(state_after("Restart") == "running");
  CHECK(state_after("Poweroff") == "shutoff");
  CHECK(state_after("Reboot") == "running");
  CHECK(state_after("Delete") == "shutoff");
  CHECK(state_after("ContainerCreate", "container") == "running");
  CHECK(state_after("ContainerSuspend", "container") == "paused");
  CHECK(state_after("ContainerShutdown", "container") == "stopped");
  CHECK(state_after("ContainerDelete", "container") == "deleted");
  CHECK_THROWS_WITH(call("Test.Reboot", R"({"guest":{"id":""}})"), "invalid argument");
}

TEST_CASE("metrics of the test agent rise with time") {
  double now = 100;
  agents::guests guests{[&] { return now; }};
  rpc::guest_metrics_request request;
  request.guest.id = "g";
  request.guest.cpu = 2;
  request.guest.nics.emplace_back().name = "net0";
  request.guest.disks.emplace_back().device = "vda";
  CHECK(guests.metrics("cpu", request).cpu.at(1).cpu_time == 0);
  now += 10;
  const auto cpu = guests.metrics("cpu", request);
  REQUIRE(cpu.cpu.size() == 2);
  CHECK(cpu.type == "cpu");
  CHECK(cpu.cpu[0].cpu_time == Approx(3));
  CHECK(cpu.cpu[0].vcpu_time < cpu.cpu[0].cpu_time);
  CHECK(guests.metrics("disk", request).disk.at("vda").read_ops == 400);
  CHECK(guests.metrics("nic", request).nic.at("net0").rx_packets == 1200);
  CHECK(guests.metrics("nic", request).disk.empty());
}

TEST_CASE_METHOD(fixture, "metrics come under their type over the wire") {
  const std::string guest = R"({"guest":{"id":"g","nics":[{"name":"n"}],"disks":[{"device":"vda"}]},"type":"x"})";
  CHECK(call("Test.CpuMetrics", guest).find(R"("type":"cpu","cpu":[{)") != std::string::npos);
  CHECK(call("Test.NicMetrics", guest).find(R"("type":"nic","nic":{"n":{)") != std::string::npos);
  CHECK(call("Test.DiskMetrics", guest).find(R"("type":"disk","disk":{"vda":{)") != std::string::npos);
}

TEST_CASE_METHOD(fixture, "images of the test agent come and go, apart from those of containers") {
  CHECK(call("Test.ListImages", "{}") == R"({"images":[]})");
  CHECK(
    call("Test.FetchImage", R"({"id":"","source":"http://example.com/images/small"})") ==
    R"({"images":[{"id":"small","type":"kvm","volume":"images/small","snapshot":"images/small@0","size":512,"status":"complete"}]})");
  call("Test.ContainerFetchImage", R"({"name":"busybox"})");
  CHECK(call("Test.GetImage", R"({"id":"small"})") == call("Test.ListImages", "{}"));
  CHECK(call("Test.ContainerGetImage", R"({"id":"busybox"})").find(R"("type":"container")") != std::string::npos);
  CHECK_THROWS_WITH(call("Test.GetImage", R"({"id":"busybox"})"), "not found");
  CHECK_THROWS_WITH(call("Test.ContainerGetImage", R"({"id":"small"})"), "no such image");
  CHECK_THROWS_WITH(call("Test.FetchImage", "{}"), "need an id");
  call("Test.DeleteImage", R"({"id":"small"})");
  CHECK_THROWS_WITH(call("Test.DeleteImage", R"({"id":"small"})"), "not found");
  CHECK(call("Test.ListImages", "{}") == R"({"images":[]})");
}

TEST_CASE_METHOD(fixture, "snapshots of the test agent come and go") {
  CHECK(call("Test.CreateSnapshot", R"({"id":"guests/g","dest":"one","recursive":true})") ==
        R"({"snapshots":[{"id":"guests/g@one","size":4}]})");
  call("Test.CreateSnapshot", R"({"id":"guests/g/disk-0","dest":"one"})");
  call("Test.CreateSnapshot", R"({"id":"guests/g","dest":"two"})");
  call("Test.CreateSnapshot", R"({"id":"guests/g2","dest":"one"})");
  CHECK(
    call("Test.ListSnapshots", R"({"id":"guests/g"})") ==
    R"({"snapshots":[{"id":"guests/g@one","size":4},{"id":"guests/g/disk-0@one","size":4},{"id":"guests/g@two","size":4}]})");
  CHECK(call("Test.GetSnapshot", R"({"id":"guests/g/disk-0@one"})") ==
        R"({"snapshots":[{"id":"guests/g/disk-0@one","size":4}]})");
  CHECK_THROWS_WITH(call("Test.GetSnapshot", R"({"id":"guests/g@nix"})"), "not found");
  CHECK_THROWS_WITH(call("Test.GetSnapshot", R"({"id":"guests/g"})"), "not a snapshot");
  CHECK_THROWS_WITH(call("Test.CreateSnapshot", R"({"dest":"one"})"), "need an id");
  CHECK_THROWS_WITH(call("Test.CreateSnapshot", R"({"id":"guests/g"})"), "need a dest");
  CHECK_THROWS_WITH(call("Test.CreateSnapshot", R"({"id":"guests/g","dest":"one"})"), "already exists");
  CHECK_THROWS_WITH(call("Test.RollbackSnapshot", R"({"id":"guests/g@one"})"), "more recent snapshots exist");
  call("Test.RollbackSnapshot", R"({"id":"guests/g@one","destroyMoreRecent":true})");
  CHECK_THROWS_WITH(call("Test.GetSnapshot", R"({"id":"guests/g@two"})"), "not found");
  call("Test.DeleteSnapshot", R"({"id":"guests/g@one","recursive":true})");
  CHECK(call("Test.ListSnapshots", R"({"id":"guests/g"})") == R"({"snapshots":[]})");
  CHECK(call("Test.ListSnapshots", R"({"id":"guests/g2"})") != R"({"snapshots":[]})");
  call("Test.Delete", R"({"guest":{"id":"g2"},"action":"delete"})");
  CHECK(call("Test.ListSnapshots", R"({"id":"guests/g2"})") == R"({"snapshots":[]})");
}

TEST_CASE_METHOD(fixture, "the test agent streams a snapshot, the same bytes every time") {
  call("Test.CreateSnapshot", R"({"id":"guests/g","dest":"one"})");
  const auto data = download(R"({"id":"guests/g@one"})");
  CHECK(data.size() == 4 * 1024 * 1024);
  CHECK(data == download(R"({"id":"guests/g@one"})"));
  CHECK_THROWS_WITH(download(R"({"id":"guests/g@two"})"), "not found");
  CHECK_THROWS_AS(download("{"), rpc::download_refused);
}

TEST_CASE("a delayed test agent answers late") {
  agents::test_agent agent{0, std::chrono::milliseconds{50}};
  test::caller call{agent.server()};
  const auto start = std::chrono::steady_clock::now();
  call("Test.ListImages", "{}");
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds{50});
}

TEST_CASE_METHOD(fixture, "the test agent answers the methods of the original's example") {
  CHECK(state_after("Run") == "running");
  CHECK(state_after("CreateContainer", "container") == "running");
  CHECK(state_after("StartContainer", "container") == "running");
  CHECK(state_after("RebootContainer", "container") == "running");
  CHECK(state_after("RestartContainer", "container") == "running");
  CHECK(state_after("StopContainer", "container") == "stopped");
  CHECK(state_after("DeleteContainer", "container") == "deleted");
  CHECK(call("Test.CPUMetrics", R"({"guest":{"id":"g"}})").find(R"("type":"cpu","cpu":[{)") != std::string::npos);
  const auto fetched = call("Test.RequestImage", R"({"id":"","source":"http://example.com/images/small"})");
  CHECK(fetched == call("Test.GetImage", R"({"id":"small"})"));
}
