#include "fixture.hpp"

#include <thread>

using namespace mistify;
using namespace std::chrono_literals;
using Catch::Contains;
using Catch::StartsWith;
using test::container_lab;
using test::engine_call;
using test::engine_reply;
using test::podman_lab;

TEST_CASE_METHOD(container_lab, "a container is made with its volumes, its label and its image by id, and is off") {
  auto g = guest();
  g.disks.resize(2);
  g.disks[1].device = "/data";
  g.metadata["owner"] = "ann";
  g.extra["note"] = "[1.0]";
  const auto made = act("CreateContainer", g);
  CHECK(state(made) == "stopped/");
  CHECK(made.guest.disks[0].device == "/disk-0");
  CHECK(made.guest.disks[0].volume == std::string{id} + "-0");
  CHECK(made.guest.metadata == g.metadata);
  CHECK(made.guest.extra.at("note") == "[1.0]");
  CHECK(fake.get(name).guest == id);
  CHECK_THAT(fake.get(name).body, Contains(R"("Image":"sha256:1234")"));
  CHECK(fake.volumes() ==
        std::map<std::string, std::string>{{std::string{id} + "-0", id}, {std::string{id} + "-1", id}});
}

TEST_CASE_METHOD(container_lab, "a whole life, each step twice") {
  for (int i = 0; i < 2; ++i)
    CHECK(state(act("CreateContainer")) == "stopped/");
  for (int i = 0; i < 2; ++i)
    CHECK(state(act("StartContainer")) == "running/");
  for (int i = 0; i < 2; ++i)
    CHECK(state(act("PauseContainer")) == "paused/");
  for (int i = 0; i < 2; ++i)
    CHECK(state(act("UnpauseContainer")) == "running/");
  for (int i = 0; i < 2; ++i)
    CHECK(state(act("StopContainer")) == R"(stopped/"user")");
  CHECK(state(act("RestartContainer")) == "running/");
  CHECK(state(act("RebootContainer")) == "running/");
  for (int i = 0; i < 2; ++i)
    CHECK(state(act("DeleteContainer")) == "deleted/");
  CHECK_FALSE(fake.has(name));
  CHECK(fake.count("POST /containers/create") == 1);
}

TEST_CASE_METHOD(podman_lab, "podman's answers to what is so already are understood") {
  CHECK(state(act("RunContainer")) == "running/");
  CHECK(state(act("PauseContainer")) == "paused/");
  CHECK(state(act("PauseContainer")) == "paused/");
  CHECK(state(act("StartContainer")) == "running/"); // wakes it up
  CHECK(state(act("StopContainer", guest(), "containerPoweroff")) == R"(stopped/"user")");
  CHECK(state(act("StopContainer", guest(), "containerPoweroff")) == R"(stopped/"user")");
}

TEST_CASE_METHOD(container_lab, "stop kills for poweroff and delete, and else gives the container its time") {
  act("RunContainer");
  act("StopContainer", guest(), "containerPoweroff");
  CHECK(fake.get(name).exit_code == 137);
  act("StartContainer");
  act("StopContainer", guest(), "containerShutdown");
  CHECK(fake.get(name).exit_code == 0);
  act("StartContainer");
  act("PauseContainer");
  CHECK(state(act("StopContainer", guest(), "containerDelete")) == R"(stopped/"user")");
  CHECK(fake.get(name).exit_code == 137);
}

TEST_CASE_METHOD(container_lab, "a shutdown that is waited for signals once and answers retry until it is off") {
  act("RunContainer");
  fake.with(name, [](auto& c) { c.ignores_term = true; });
  const std::string wait = R"(,"params":{"wait":30})", again = wait + R"(,"again":true)";
  const auto first = act("StopContainer", guest(), "containerShutdown", wait);
  CHECK(first.retry == 1);
  CHECK(state(first) == "running/");
  CHECK(act("StopContainer", guest(), "containerShutdown", again).retry == 1);
  CHECK(fake.count("POST /containers/" + name + "/kill") == 1);
  fake.end(name, 0);
  const auto last = act("StopContainer", guest(), "containerShutdown", again);
  CHECK(last.retry == 0);
  CHECK(state(last) == R"(stopped/"user")");
  // The stage's args say so too.
  act("StartContainer");
  fake.with(name, [](auto& c) { c.ignores_term = true; });
  CHECK(act("StopContainer", guest(), "containerShutdown", R"(,"args":{"wait":"120"})").retry == 1);
}

TEST_CASE_METHOD(container_lab,
                 "a shutdown that is waited for ends in the poweroff that the agent sends when it is late") {
  act("RunContainer");
  fake.with(name, [](auto& c) { c.ignores_term = true; });
  const std::string wait = R"(,"params":{"wait":30})";
  CHECK(act("StopContainer", guest(), "containerShutdown", wait).retry == 1);
  const auto off = act("StopContainer", guest(), "containerPoweroff", wait);
  CHECK(off.retry == 0);
  CHECK(state(off) == R"(stopped/"user")");
}

TEST_CASE_METHOD(container_lab, "a guest has the reason of its state once, and not that of the state before") {
  auto g = guest();
  g.state_reason = "crashed:3"; // as the agent stored it
  CHECK(act("CreateContainer", g).guest.state_reason.empty());
  const auto started = act("StartContainer", g).guest;
  CHECK(started.state_reason.empty());
  CHECK_FALSE(started.extra.contains("state_reason"));
  const auto text = raw("StopContainer", R"({"guest":)" + rpc::encode(g) + R"(,"action":"containerPoweroff"})");
  CHECK_THAT(text, Contains(R"("state_reason":"user")") && !Contains("crashed:3"));
}

TEST_CASE_METHOD(container_lab, "a reboot that is waited for starts the container once it is off") {
  act("RunContainer");
  fake.with(name, [](auto& c) { c.ignores_term = true; });
  const std::string wait = R"(,"params":{"wait":30})", again = wait + R"(,"again":true)";
  CHECK(act("RebootContainer", guest(), "containerReboot", wait).retry == 1);
  CHECK(act("RebootContainer", guest(), "containerReboot", again).retry == 1);
  fake.end(name, 0);
  const auto last = act("RebootContainer", guest(), "containerReboot", again);
  CHECK(last.retry == 0);
  CHECK(state(last) == "running/");
}

TEST_CASE_METHOD(container_lab, "a container of somebody else under the guest's name is left alone by every method") {
  fake.put(name, {.id = "other", .guest = "", .body = "{}", .status = "running"});
  for (const auto* method : {"CreateContainer", "StartContainer", "StopContainer", "RestartContainer",
                             "RebootContainer", "PauseContainer", "UnpauseContainer", "GetContainer", "SaveContainer"})
    CHECK_THAT(refusal(method), StartsWith("conflict") || Contains("need a dest"));
  CHECK(act("StopContainer", guest(), "containerDelete").guest.state == "unknown");
  CHECK(act("DeleteContainer").message == "left alone: " + name);
  CHECK(fake.get(name).status == "running");
}

TEST_CASE_METHOD(container_lab, "a volume of somebody else under the guest's name is left alone") {
  fake.put_volume(std::string{id} + "-0", "");
  auto g = guest();
  g.disks.resize(1);
  CHECK_THAT(refusal("CreateContainer", g), StartsWith("conflict"));
  CHECK_FALSE(fake.has(name));
  act("DeleteContainer", g);
  CHECK(fake.volumes().size() == 1);
}

TEST_CASE_METHOD(container_lab, "a guest's container of another shape stays as it is, and is an error") {
  act("CreateContainer");
  auto g = guest();
  g.memory = 64;
  CHECK_THAT(refusal("CreateContainer", g), StartsWith("conflict"));
}

TEST_CASE_METHOD(container_lab, "what cannot be made says why, and leaves no container behind") {
  auto g = guest();
  g.image = "gone";
  CHECK(refusal("CreateContainer", g) == "no such image: gone");
  g = guest();
  g.nics.resize(1);
  g.nics[0].network = "nowhere";
  CHECK_THAT(refusal("CreateContainer", g), Contains("no network nowhere"));
  g.nics.resize(2);
  g.nics[0].network = "bridge";
  g.nics[1].network = "lan";
  fake.set_trouble([](const engine_call& c) -> std::optional<engine_reply> {
    if (c.path == "/networks/lan/connect")
      return engine_reply{500, R"({"message":"no address is free"})"};
    return std::nullopt;
  });
  CHECK(refusal("CreateContainer", g) == "no address is free");
  CHECK_FALSE(fake.has(name));
}

TEST_CASE_METHOD(container_lab, "nics have what the engine chose filled in while it runs") {
  auto g = guest();
  g.nics.resize(2);
  g.nics[0].network = "bridge";
  g.nics[1].network = "lan";
  const auto made = act("RunContainer", g);
  CHECK(made.guest.nics[0].mac == "02:42:ac:11:00:02");
  CHECK(made.guest.nics[1].address == "172.17.0.2");
}

TEST_CASE_METHOD(container_lab, "calls without a guest, or with an id that is no UUID, are refused") {
  auto g = guest();
  for (const auto* bad : {"../x", "a/b", "0a1b2c3d-0000-4000-8000-00000000000/", "0A"}) {
    g.id = bad;
    for (const auto* method : {"CreateContainer", "StartContainer", "StopContainer", "DeleteContainer"})
      CHECK_THAT(refusal(method, g), Contains("must be a UUID"));
  }
  CHECK_THROWS_WITH(raw("StartContainer", R"({"action":"x"})"), Contains("missing guest with id"));
  CHECK_THROWS_WITH(raw("GetContainer", R"({})"), Contains("missing guest with id"));
  CHECK_THROWS_WITH(act("StopContainer", guest(), "x", R"(,"args":{"wait":"soon"})"), Contains("args.wait"));
  CHECK(fake.calls().empty());
}

TEST_CASE_METHOD(container_lab, "a container that is gone is not found, and its delete completes") {
  CHECK_THAT(refusal("StartContainer"), StartsWith("not found"));
  CHECK_THAT(refusal("StopContainer", guest(), "containerPoweroff"), StartsWith("not found"));
  CHECK(state(act("StopContainer", guest(), "containerDelete")) == R"(unknown/"missing")");
  CHECK(state(act("DeleteContainer")) == "deleted/");
}

TEST_CASE_METHOD(container_lab, "how a run ended is known after a restart of the sub-agent") {
  act("RunContainer");
  act("StopContainer", guest(), "containerPoweroff");
  restart();
  CHECK(state(act("StopContainer")) == R"(stopped/"user")");
  act("StartContainer");
  fake.end(name, 137);
  CHECK(state(act("StopContainer")) == R"(stopped/"killed")");
}

TEST_CASE_METHOD(container_lab, "an engine that is away is an error of the call, and comes back by itself") {
  act("CreateContainer");
  fake.go_away();
  CHECK_THAT(refusal("StartContainer"), Contains("no container engine answers at " + fake.socket()));
  for (const auto* method : {"StartContainer", "CreateContainer", "DeleteContainer", "GetContainer", "CPUMetrics"})
    CHECK(code_of(method) == rpc::errc::sub_agent_unreachable);
  for (const auto* method : {"ListContainers", "GetInfo", "ListImages"})
    CHECK(code_of(method, "{}") == rpc::errc::sub_agent_unreachable);
  CHECK(code_of("LoadImage", R"({"id":"x","source":"alpine:3.19"})") == rpc::errc::sub_agent_unreachable);
  fake.come_back();
  CHECK(state(act("StartContainer")) == "running/");
}

TEST_CASE_METHOD(container_lab, "an engine that refuses an action says why") {
  act("CreateContainer");
  fake.set_trouble([](const engine_call& c) -> std::optional<engine_reply> {
    if (c.path.ends_with("/start"))
      return engine_reply{500, R"({"message":"OCI runtime: no such file: /bin/x"})"};
    return std::nullopt;
  });
  CHECK(refusal("StartContainer") == "OCI runtime: no such file: /bin/x");
}

TEST_CASE_METHOD(container_lab, "errors have a code beside their text") {
  CHECK(code_of("StartContainer") == rpc::errc::sub_agent_not_found);
  auto g = guest();
  g.image = "gone";
  CHECK(code_of("CreateContainer", g) == rpc::errc::sub_agent_not_found);
  g = guest();
  g.id = "no uuid";
  CHECK(code_of("CreateContainer", g) == rpc::errc::sub_agent_refused);
  act("CreateContainer");
  CHECK(code_of("PauseContainer") == rpc::errc::sub_agent_conflict);
  CHECK(code_of("DeleteImage", R"({"id":"bb"})") == rpc::errc::sub_agent_in_use);
  CHECK(code_of("LoadImage", R"({"id":"x","source":"http://10.0.0.1/x.tar"})") == rpc::errc::sub_agent_refused);
  CHECK(code_of("LoadImage", R"({"id":"x","source":"file:///no/such/file"})") == rpc::errc::sub_agent_failed);
  fake.set_trouble([](const engine_call&) { return std::optional{engine_reply{500, R"({"message":"trouble"})"}}; });
  CHECK(code_of("StartContainer") == rpc::errc::sub_agent_failed);
}

TEST_CASE_METHOD(container_lab, "only containers with a guest's label are listed") {
  act("CreateContainer");
  fake.put("mine", {.id = "other", .guest = ""});
  fake.put("odd", {.id = "odd", .guest = "no uuid"});
  const auto listed = rpc::json::document::parse(raw("ListContainers", "{}"));
  CHECK(listed.root().find("containers")->items("").size() == 1);
  const auto got = raw("GetContainer", R"({"guest":{"id":")" + std::string{id} + R"("}})");
  CHECK_THAT(got, StartsWith(R"({"containers":[{"Id":)"));
}

TEST_CASE_METHOD(container_lab, "a container is saved as an image") {
  act("CreateContainer");
  const auto saved = raw("SaveContainer", R"({"guest":{"id":")" + std::string{id} + R"("},"dest":"mine"})");
  CHECK(saved == R"({"images":[{"id":"mine","type":"container","size":2,"status":"complete"}]})");
  CHECK(fake.has_image("localhost/mine:latest"));
}

TEST_CASE_METHOD(podman_lab, "a container is saved without the guest's labels on podman too, and over no other image") {
  act("CreateContainer");
  const auto save = [&](const std::string& to) {
    return raw("SaveContainer", R"({"guest":{"id":")" + std::string{id} + R"("},"dest":")" + to + "\"}");
  };
  save("mine");
  CHECK(fake.has_image("localhost/mine:latest"));
  for (const auto* taken : {"mine", "bb"})
    CHECK_THROWS_WITH(save(taken), StartsWith("conflict"));
  CHECK(fake.count("POST /commit") == 2);
}

TEST_CASE_METHOD(container_lab, "a container that lacks a network is connected to it by the next create") {
  auto g = guest();
  g.nics.resize(2);
  g.nics[0].network = "bridge";
  g.nics[1].network = "lan";
  act("CreateContainer", g);
  fake.with(name, [](auto& c) { c.networks = {"bridge"}; });
  act("CreateContainer", g);
  CHECK(fake.get(name).networks == std::vector<std::string>{"bridge", "lan"});
  act("CreateContainer", g);
  CHECK(fake.count("POST /networks/lan/connect") == 2);
}

TEST_CASE_METHOD(container_lab, "a stop that the engine refused does not explain a later end") {
  act("RunContainer");
  fake.set_trouble([](const engine_call& c) -> std::optional<engine_reply> {
    if (c.path.ends_with("/stop"))
      return engine_reply{500, R"({"message":"cannot stop it"})"};
    return std::nullopt;
  });
  CHECK(refusal("StopContainer", guest(), "containerPoweroff") == "cannot stop it");
  fake.set_trouble({});
  fake.end(name, 3);
  CHECK(state(act("StopContainer")) == R"(stopped/"crashed:3")");
}

TEST_CASE_METHOD(container_lab, "a volume that somebody else makes at the same moment is left alone") {
  fake.set_trouble([](const engine_call& c) -> std::optional<engine_reply> {
    if (c.path == "/volumes/create")
      return engine_reply{201, R"({"Name":"x","Labels":{"mistify.guest":"another"}})"};
    return std::nullopt;
  });
  auto g = guest();
  g.disks.resize(1);
  CHECK_THAT(refusal("CreateContainer", g), StartsWith("conflict"));
  CHECK_FALSE(fake.has(name));
}

TEST_CASE_METHOD(container_lab, "metrics are those of a container that runs, by the engine's network and the device") {
  auto g = guest();
  g.nics.resize(1);
  g.nics[0].network = "bridge";
  const auto measure = [&](const std::string& method) {
    return raw(method, R"({"guest":)" + rpc::encode(g) + R"(,"type":"x"})");
  };
  CHECK_THAT(measure("CPUMetrics"), !Contains("cpu_time")); // there is none
  act("RunContainer", g);
  CHECK_THAT(measure("CPUMetrics"), Contains(R"("cpu":[{"cpu_time":1.5,"vcpu_time":1.5}])"));
  CHECK_THAT(measure("NicMetrics"), Contains(R"("nic":{"bridge":{"name":"bridge","rx_bytes":10)"));
  const auto disk = measure("DiskMetrics");
  CHECK_THAT(disk, Contains(R"("disk":{"7999:3":)") && Contains(R"("read_bytes":4096)") &&
                     Contains(R"("write_ops":2)") && Contains(R"("write_bytes":8192)"));
  act("StopContainer", g);
  CHECK_THAT(measure("DiskMetrics"), !Contains("read_bytes"));
}

TEST_CASE_METHOD(container_lab, "many containers are created at once, each on its own") {
  std::vector<std::thread> askers;
  std::atomic<int> made = 0;
  for (int i = 0; i < 8; ++i)
    askers.emplace_back([&, i] {
      rpc::client client{test::caller::at(agent->server())};
      for (int n = 0; n < 25; ++n) {
        auto g = guest();
        char own[37];
        std::snprintf(own, sizeof own, "0a1b2c3d-0000-4000-8000-%012d", i * 25 + n);
        g.id = own;
        client.call("MDocker.RunContainer", R"({"guest":)" + rpc::encode(g) + R"(,"action":"x"})", 30s, {});
        ++made;
      }
    });
  for (auto& a : askers)
    a.join();
  CHECK(made == 200);
  CHECK(rpc::json::document::parse(raw("ListContainers", "{}")).root().find("containers")->items("").size() == 200);
}
