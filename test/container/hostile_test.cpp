#include "fixture.hpp"
#include "image_files.hpp"
#include "rpc/agents/container/container_metrics.hpp"
#include "rpc/agents/container/image_archive.hpp"
#include "rpc/agents/container/registry_policy.hpp"

#include <tuple>

// Engines that lie, others who use the same engine, images and archives that are not what they seem.

using namespace mistify;
using namespace mistify::agents::container;
using Catch::Contains;
using Catch::StartsWith;
using test::container_lab;
using test::engine_call;
using test::engine_reply;

namespace {

struct hostile_lab : container_lab {
  const test::fake_engine::container foreign{
    .id = std::string(64, 'f'), .guest = "", .body = "{}", .status = "running"};

  /// Somebody removes the guest's container and takes its name, just before the engine sees that call.
  void swap_before(const std::string& method, const std::string& ending) {
    fake.set_trouble([=, this](const engine_call& c) -> std::optional<engine_reply> {
      if (c.is(method, ending) && fake.get(name).id != foreign.id) {
        fake.vanish(name);
        fake.put(name, foreign);
      }
      return std::nullopt;
    });
  }
  void answer(const std::string& path, engine_reply reply) {
    fake.set_trouble([=](const engine_call& c) { return c.path == path ? std::optional{reply} : std::nullopt; });
  }
};

} // namespace

TEST_CASE_METHOD(hostile_lab, "a container that takes the guest's name between look and action is not acted on") {
  const std::tuple<const char*, const char*, std::string> cases[] = {
    {"StartContainer", "POST", "/start"},     {"StopContainer", "POST", "/stop"},
    {"RestartContainer", "POST", "/stop"},    {"RebootContainer", "POST", "/stop"},
    {"PauseContainer", "POST", "/pause"},     {"GetContainer", "GET", ""},
    {"DeleteContainer", "DELETE", '/' + name}};
  for (const auto& [method, verb, ending] : cases) {
    INFO(method);
    fake.set_trouble({});
    if (fake.has(name))
      fake.vanish(name);
    act("CreateContainer");
    if (std::string{method} != "StartContainer")
      act("StartContainer");
    if (!ending.empty())
      swap_before(verb, ending);
    refusal(method);
    CHECK(fake.has(name));
    CHECK(fake.get(name).status == "running");
    CHECK(fake.get(name).exit_code == 0);
  }
}

TEST_CASE_METHOD(hostile_lab, "a label that an image brought along makes no container a guest's") {
  act("CreateContainer");
  fake.put("somebody", {.id = "s", .guest = "0a1b2c3d-0000-4000-8000-000000000002"});
  fake.put("else", {.id = "e", .guest = id});
  const auto listed = rpc::json::document::parse(raw("ListContainers", "{}"));
  CHECK(listed.root().find("containers")->items("").size() == 1);
  act("DeleteContainer");
  CHECK(fake.has("else"));
}

TEST_CASE_METHOD(hostile_lab, "a volume goes with the guest only if it has both its label and its name") {
  fake.put_volume("precious", id);
  fake.put_volume(std::string{id} + "-0", id);
  act("DeleteContainer");
  CHECK(fake.volumes() == std::map<std::string, std::string>{{"precious", id}});
}

TEST_CASE_METHOD(hostile_lab, "the host's network is not reached by its id, nor any other network") {
  auto g = guest();
  g.nics.resize(1);
  for (const auto* network : {"4057", "1a2b"}) {
    g.nics[0].network = network;
    CHECK_THAT(refusal("CreateContainer", g), Contains("has no network"));
  }
  CHECK_FALSE(fake.has(name));
}

TEST_CASE_METHOD(hostile_lab, "whatever JSON the engine answers, a call ends in an error and the next one is served") {
  for (const auto* body : {"[]", "null", "5", "\"x\"", "{}", R"({"Id":5,"Config":{"Labels":[]},"State":"x"})",
                           R"([5,null,{"Labels":5,"Names":{}}])", R"({"Config":{"Labels":{"mistify.guest":{}}}})"}) {
    INFO(body);
    fake.set_trouble([&](const engine_call&) { return std::optional{engine_reply{200, body}}; });
    for (const auto* method : {"CreateContainer", "StartContainer", "StopContainer", "RestartContainer",
                               "RebootContainer", "PauseContainer", "UnpauseContainer"})
      CHECK_FALSE(refusal(method).empty());
    for (const auto* method : {"ListContainers", "GetContainer", "SaveContainer", "CPUMetrics", "DiskMetrics",
                               "NicMetrics", "ListImages", "GetImage", "DeleteImage", "GetInfo"})
      try {
        raw(method, R"({"id":"bb","dest":"y","type":"container","guest":)" + rpc::encode(guest()) + '}');
      } catch (const std::exception& e) {
        CHECK_FALSE(std::string{e.what()}.empty());
      }
  }
  fake.set_trouble({});
  CHECK(state(act("RunContainer")) == "running/");
}

TEST_CASE_METHOD(hostile_lab, "figures of any kind are figures, or none") {
  for (
    const auto* text :
    {"{}", "[]", R"({"networks":[],"cpu_stats":[],"blkio_stats":5})",
     R"({"networks":{"eth0":5},"cpu_stats":{"cpu_usage":{"total_usage":1e400}},"blkio_stats":{"io_serviced_recursive":[5,{"op":5},{"op":"read","major":-1,"value":-9}]}})"}) {
    const auto document = rpc::json::document::parse(text);
    rpc::guest_metrics_response to;
    read_cpu(document.root(), to);
    read_disks(document.root(), to);
    read_nics(document.root(), {}, to);
    for (const auto& row : to.cpu)
      CHECK(row.cpu_time == 0);
    for (const auto& [key, row] : to.disk)
      CHECK(row.read_ops == 0);
    for (const auto& [key, row] : to.nic)
      CHECK(row.rx_bytes == 0);
  }
}

TEST_CASE("the figures of a nic have its network's name where it is the only one, and else the engine's names") {
  const auto names = [](const std::string& rows, std::vector<std::string> networks) {
    std::vector<rpc::nic> nics(networks.size());
    for (std::size_t i = 0; i < nics.size(); ++i)
      nics[i].network = networks[i];
    rpc::guest_metrics_response to;
    const auto document = rpc::json::document::parse(R"({"networks":)" + rows + '}');
    read_nics(document.root(), nics, to);
    std::string all;
    for (const auto& [name, row] : to.nic)
      all += name + '=' + std::to_string(row.rx_bytes) + ' ';
    return all;
  };
  const std::string one = R"({"eth0":{"rx_bytes":1}})", podman = R"({"network":{"rx_bytes":1}})",
                    two = R"({"eth1":{"rx_bytes":2},"eth0":{"rx_bytes":1}})";
  CHECK(names(one, {"lan"}) == "lan=1 ");
  CHECK(names(podman, {"lan"}) == "lan=1 ");
  CHECK(names(podman, {"lan", "dmz"}) == "network=1 ");
  CHECK(names(two, {"lan", "dmz"}) == "eth0=1 eth1=2 ");
  CHECK(names(two, {"lan"}) == "eth0=1 eth1=2 "); // somebody else connected it to another network
  CHECK(names(one, {"lan", "dmz"}) == "eth0=1 "); // or took it off one
}

TEST_CASE_METHOD(hostile_lab, "an image that goes between look and create is an error with the engine's reason") {
  answer("/containers/create", {404, R"({"message":"No such image: sha256:1234"})"});
  CHECK(refusal("CreateContainer") == "No such image: sha256:1234");
  fake.set_trouble({});
  CHECK(state(act("CreateContainer")) == "stopped/");
}

TEST_CASE_METHOD(hostile_lab, "a full disk of the engine is the error of the call, which can be repeated") {
  auto g = guest();
  g.disks.resize(1);
  const std::string full = "no space left on device";
  for (const auto* path : {"/volumes/create", "/containers/create"}) {
    answer(path, {500, R"({"message":")" + full + "\"}"});
    CHECK(refusal("CreateContainer", g) == full);
    CHECK_FALSE(fake.has(name));
  }
  fake.set_trouble({});
  CHECK(state(act("CreateContainer", g)) == "stopped/");
  answer("/containers/" + name + "/start", {500, R"({"message":")" + full + "\"}"});
  CHECK(refusal("StartContainer", g) == full);
}

TEST_CASE_METHOD(hostile_lab, "a folder that takes nothing more costs the reason of a stop, and no call") {
  std::filesystem::remove_all(settings.folder / "guests");
  CHECK(state(act("RunContainer")) == "running/");
  CHECK_THAT(state(act("StopContainer", guest(), "containerPoweroff")), StartsWith("stopped/"));
  CHECK(state(act("DeleteContainer")) == "deleted/");
}

TEST_CASE("the time of a run is kept as far as it can be one") {
  test::temp_dir dir;
  guest_marks marks{dir.path()};
  marks.note_stop("g", "2026-01-01T00:00:00Z");
  marks.note_stop("g", std::string(1'000'000, 'x'));
  CHECK(marks.stopped_run("g").empty());
  CHECK(std::filesystem::file_size(dir.path() / "g") == 0);
}

TEST_CASE("a layer counts as often as it is used, so that a small archive is no large image") {
  test::temp_dir dir;
  std::string layers = "\"l/layer.tar\"";
  for (int i = 1; i < 100; ++i)
    layers += ",\"l/layer.tar\"";
  const auto file =
    dir.write("a.tar", test::tar_of({{"manifest.json", R"([{"Config":"c.json","Layers":[)" + layers + "]}]"},
                                     {"c.json", "{}"},
                                     {"l/layer.tar", std::string(1000, 'l')}}));
  CHECK_THROWS_WITH(image_archive(file, "localhost/x:latest", 100'000), Contains("larger than any image may be"));
  CHECK_NOTHROW(image_archive(file, "localhost/x:latest", 100'002));
}

TEST_CASE("the engine pulls from no registry on this host or in its networks, unless that is allowed") {
  const auto objection = [](const std::string& reference, const std::vector<std::string>& allowed = {}) {
    try {
      expect_registry(split_reference(reference), allowed);
    } catch (const fetching::source_refused& e) {
      return std::string{e.what()};
    }
    return std::string{};
  };
  for (const auto* bad :
       {"127.0.0.1:5000/x", "localhost/x", "localhost:80/x", "10.0.0.1/x", "169.254.169.254/x", "192.168.1.1:22/a/b:1"})
    CHECK_THAT(objection(bad), Contains("may not come from"));
  CHECK(objection("127.0.0.1:5000/x", {"127.0.0.0/8"}).empty());
  CHECK(objection("10.0.0.1/x", {"10.0.0.0/8"}).empty());
  CHECK(objection("8.8.8.8/x").empty());
  CHECK(objection("alpine").empty());
  CHECK(registry_host(split_reference("registry.example:5000/a/b")) == "registry.example");
}

TEST_CASE_METHOD(hostile_lab, "an id of any length has its origin noted") {
  std::string long_id = "a";
  while (long_id.size() < 199)
    long_id += "/a";
  const auto source = "file://" + dir.write("busy.tar", test::tar_of(test::docker_archive()));
  const auto params = R"({"id":")" + long_id + R"(","type":"container","dest":"","source":")" + source + "\"}";
  for (int i = 0; i < 2; ++i)
    CHECK_NOTHROW(raw("LoadImage", params));
  CHECK(fake.count("POST /images/load") == 1);
}
