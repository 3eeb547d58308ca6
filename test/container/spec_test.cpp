#include "rpc/agents/container/container_facts.hpp"
#include "rpc/agents/container/container_spec.hpp"
#include "rpc/agents/container/shell_words.hpp"
#include "rpc/base/json.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::agents::container;
using Catch::Contains;
using words = std::vector<std::string>;

namespace {

constexpr const char* id = "0a1b2c3d-0000-4000-8000-000000000001";

rpc::guest guest() {
  rpc::guest g;
  g.id = id;
  g.type = "container";
  g.image = "bb";
  return g;
}

rpc::nic nic(const std::string& network) {
  rpc::nic n;
  n.network = network;
  return n;
}

/// The text of a member of what is created, by its path.
std::string made(const rpc::guest& g, std::initializer_list<std::string_view> path, const container_rules& rules = {}) {
  const auto document = rpc::json::document::parse(plan_container(g, "sha256:1", rules).body);
  const auto* at = &document.root();
  for (const auto name : path)
    if (!(at = at->find(name)))
      return {};
  return at->text();
}

std::string refusal(const rpc::guest& g, const container_rules& rules = {}) {
  try {
    plan_container(g, "sha256:1", rules);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

rpc::guest with_metadata(const std::string& key, const std::string& value) {
  auto g = guest();
  g.nics = {nic("lan")};
  g.metadata[key] = value;
  return g;
}

} // namespace

TEST_CASE("a guest that says nothing becomes a container with no network, no rights and bounds") {
  const auto g = guest();
  CHECK(made(g, {"Image"}) == R"("sha256:1")");
  CHECK(made(g, {"Cmd"}).empty());
  CHECK(made(g, {"Labels", "mistify.guest"}) == '"' + std::string{id} + '"');
  CHECK(made(g, {"HostConfig", "NetworkMode"}) == R"("none")");
  CHECK(made(g, {"HostConfig", "CapDrop"}) == R"(["ALL"])");
  CHECK(made(g, {"HostConfig", "CapAdd"}) == "[]");
  CHECK(made(g, {"HostConfig", "SecurityOpt"}) == R"(["no-new-privileges"])");
  CHECK(made(g, {"HostConfig", "PidsLimit"}) == "1024");
  CHECK(made(g, {"HostConfig", "RestartPolicy", "Name"}) == R"("no")");
  CHECK(made(g, {"HostConfig", "LogConfig", "Config", "max-size"}) == R"("16m")");
  CHECK(made(g, {"HostConfig", "Memory"}).empty());
  CHECK(made(g, {"HostConfig", "NanoCpus"}).empty());
  CHECK(made(g, {"HostConfig", "Privileged"}).empty());
  CHECK(made(g, {"StopTimeout"}) == "10");
}

TEST_CASE("memory counts in MB of 2^20 without swap, and cpu in whole processors") {
  auto g = guest();
  g.memory = 64;
  g.cpu = 2;
  CHECK(made(g, {"HostConfig", "Memory"}) == "67108864");
  CHECK(made(g, {"HostConfig", "MemorySwap"}) == "67108864");
  CHECK(made(g, {"HostConfig", "NanoCpus"}) == "2000000000");
  g.memory = UINT64_MAX;
  CHECK_THAT(refusal(g), Contains("memory"));
  g.memory = 0;
  g.cpu = UINT64_MAX;
  CHECK_THAT(refusal(g), Contains("cpu"));
}

TEST_CASE("a command is shell words without a shell, or a JSON array") {
  CHECK(split_command("a b\tc") == words{"a", "b", "c"});
  CHECK(split_command(R"(sh -c 'echo "$HOME"; x' "" "a \"b\" \n" c\ d 'e'f)") ==
        words{"sh", "-c", "echo \"$HOME\"; x", "", "a \"b\" \\n", "c d", "ef"});
  CHECK(split_command(R"(["a b","","é\n"])") == words{"a b", "", "é\n"});
  CHECK(split_command("  ").empty());
  for (const auto* bad : {"'open", "\"open", "end\\", "[1]", "[\"a\"", "[] x"})
    CHECK_THROWS_AS(split_command(bad), std::invalid_argument);
  CHECK_THROWS_AS(split_command(std::string{"a\0b", 3}), std::invalid_argument);
  CHECK(made(with_metadata("container.command", "echo 'a b'"), {"Cmd"}) == R"(["echo","a b"])");
  CHECK_THAT(refusal(with_metadata("container.command", "'")), Contains("metadata.container.command"));
}

TEST_CASE("the environment takes every value that is no NUL, and names without = and control characters") {
  CHECK(made(with_metadata("container.env.A", "x=y \n\"é\""), {"Env"}) == R"(["A=x=y \n\"é\""])");
  CHECK(refusal(with_metadata("container.env.A", std::string{"a\0b", 3})) == "metadata.container.env.A: has a NUL");
  CHECK_THAT(refusal(with_metadata("container.env.", "x")), Contains("no name"));
  CHECK_THAT(refusal(with_metadata("container.env.a=b", "x")), Contains("no name"));
  CHECK_THAT(refusal(with_metadata("container.env.a\nb", "x")), Contains("no name"));
}

TEST_CASE("ports are published where they are asked for, on a network") {
  CHECK(made(with_metadata("container.port.80", "8080"), {"HostConfig", "PortBindings"}) ==
        R"({"80/tcp":[{"HostIp":"","HostPort":"8080"}]})");
  CHECK(made(with_metadata("container.port.53/udp", "127.0.0.1:53"), {"HostConfig", "PortBindings"}) ==
        R"({"53/udp":[{"HostIp":"127.0.0.1","HostPort":"53"}]})");
  CHECK(made(with_metadata("container.port.80", "[::1]:8080"), {"HostConfig", "PortBindings", "80/tcp"}) ==
        R"([{"HostIp":"::1","HostPort":"8080"}])");
  CHECK(made(with_metadata("container.port.80", "8080"), {"ExposedPorts"}) == R"({"80/tcp":{}})");
  for (const auto* key : {"container.port.", "container.port.0", "container.port.65536", "container.port.80/sctp",
                          "container.port.08", "container.port.8x"})
    CHECK_THAT(refusal(with_metadata(key, "80")), Contains("must end in a port"));
  for (const auto* value : {"", "0", "70000", "x:80", "127.0.0.1:", "host:80", "1.2.3.4:8 0"})
    CHECK_THAT(refusal(with_metadata("container.port.80", value)), Contains("HOSTPORT"));
  auto twice = with_metadata("container.port.80", "1");
  twice.metadata["container.port.80/tcp"] = "2";
  CHECK_THAT(refusal(twice), Contains("published twice"));
  twice.nics.clear();
  twice.metadata.erase("container.port.80/tcp");
  CHECK_THAT(refusal(twice), Contains("need a nic"));
}

TEST_CASE("capabilities are only those that no container is left with, and the root may be read-only") {
  CHECK(made(with_metadata("container.capabilities", "CHOWN, CAP_SETUID"), {"HostConfig", "CapAdd"}) ==
        R"(["CHOWN","SETUID"])");
  for (const auto* bad : {"SYS_ADMIN", "ALL", "NET_RAW", "sys_ptrace", "CHOWN,NET_ADMIN"})
    CHECK_THAT(refusal(with_metadata("container.capabilities", bad)), Contains("no container may have"));
  const auto g = with_metadata("container.read_only", "true");
  CHECK(made(g, {"HostConfig", "ReadonlyRootfs"}) == "true");
  CHECK(made(g, {"HostConfig", "Tmpfs"}) == R"({"/tmp":"","/run":""})");
  CHECK(made(guest(), {"HostConfig", "ReadonlyRootfs"}).empty());
  CHECK_THAT(refusal(with_metadata("container.read_only", "yes")), Contains("true or false"));
}

TEST_CASE("nics are networks of the engine: no other mode, the host's only by the rules") {
  auto g = guest();
  g.nics = {nic("lan"), nic("bridge")};
  g.nics[0].address = "10.0.0.2";
  g.nics[0].mac = "02:00:00:00:00:01";
  CHECK(made(g, {"HostConfig", "NetworkMode"}) == R"("lan")");
  CHECK(made(g, {"NetworkingConfig", "EndpointsConfig", "lan"}) ==
        R"({"IPAMConfig":{"IPv4Address":"10.0.0.2"},"MacAddress":"02:00:00:00:00:01"})");
  const auto plan = plan_container(g, "x", {});
  CHECK(plan.networks == words{"lan", "bridge"});
  REQUIRE(plan.more_networks.size() == 1);
  CHECK(plan.more_networks[0].name == "bridge");

  const auto alone = [](const std::string& network) {
    auto one = guest();
    one.nics = {nic(network)};
    return one;
  };
  CHECK_THAT(refusal(alone("host")), Contains("--host-network"));
  CHECK(made(alone("host"), {"HostConfig", "NetworkMode"}, {.host_network = true}) == R"("host")");
  CHECK(plan_container(alone("none"), "x", {}).networks.empty());
  for (const auto* bad : {"container:other", "ns:/proc/1/ns/net", "slirp4netns:port", "-x", "a/b", "a b", "a\nb", ""})
    CHECK_THAT(refusal(alone(bad)), Contains("nics[0].network"));
  g.nics[1].network = "lan";
  CHECK_THAT(refusal(g), Contains("another nic"));
  g.nics[1].network = "none";
  CHECK_THAT(refusal(g), Contains("only nic"));
  g = alone("lan");
  g.nics[0].vlans = {7};
  CHECK_THAT(refusal(g), Contains("vlans"));
}

TEST_CASE("disks are the guest's own volumes, at a place that is not the kernel's") {
  auto g = guest();
  g.disks.resize(2);
  g.disks[1].device = "/data";
  CHECK(made(g, {"HostConfig", "Mounts"}) == R"([{"Target":"/disk-0","Type":"volume","Source":")" + std::string{id} +
                                               R"(-0"},)" + R"({"Target":"/data","Type":"volume","Source":")" + id +
                                               R"(-1"}])");
  const auto plan = plan_container(g, "x", {.volume_sizes = true});
  REQUIRE(plan.volumes.size() == 2);
  CHECK(plan.volumes[1].name == std::string{id} + "-1");
  g.disks[0].device = "/data";
  CHECK_THAT(refusal(g), Contains("another disk"));
  for (const auto* bad : {"/", "/proc", "/sys/fs", "/dev/x", "/a/../b", "//a", "/a/", "/a:b", "/a\nb", "/./a"}) {
    g.disks[0].device = bad;
    CHECK_THAT(refusal(g), Contains("disks[0].device"));
  }
  g.disks[0].device = "vda"; // as other guests' disks are called
  CHECK(refusal(g).empty());
  g.disks[0].volume = "somebody-0";
  CHECK_THAT(refusal(g), Contains("disks[0].volume"));
  g.disks[0].volume = std::string{id} + "-0";
  CHECK(refusal(g).empty());
  g.disks[0].image = "x";
  CHECK_THAT(refusal(g), Contains("disks[0].image"));
}

TEST_CASE("a file is bound read-only, and only if it lies in the media, behind all links") {
  const test::temp_dir dir;
  dir.write("media/a.iso", "x");
  dir.write("secret", "x");
  std::filesystem::create_symlink(dir.path() / "secret", dir.path() / "media/link");
  auto g = guest();
  g.disks.resize(1);
  const container_rules rules{.media = {dir.path() / "media"}};
  g.disks[0].source = (dir.path() / "media/a.iso").string();
  CHECK_THAT(refusal(g), Contains("--media"));
  const auto mounts = made(g, {"HostConfig", "Mounts"}, rules);
  CHECK_THAT(mounts, Contains(R"("Type":"bind")") && Contains(R"("ReadOnly":true)") && Contains("a.iso"));
  CHECK(plan_container(g, "x", rules).volumes.empty());
  dir.write("media/a,source=b", "x");
  dir.write("media/a\"b", "x");
  for (const auto* bad :
       {"media/a,source=b", "media/a\"b", "secret", "media/link", "media/../secret", "media", "media/none"}) {
    g.disks[0].source = (dir.path() / bad).string();
    CHECK_THAT(refusal(g, rules), Contains("disks[0].source"));
  }
}

TEST_CASE("two guests have one shape only if they become the same container") {
  const auto shape = [](const rpc::guest& g) { return plan_container(g, "any", {}).shape; };
  auto g = guest();
  const auto first = shape(g);
  CHECK(plan_container(g, "other id of the image", {}).shape == first);
  g.metadata["owner"] = "ann";
  g.state = "running";
  CHECK(shape(g) == first);
  g.memory = 64;
  CHECK(shape(g) != first);
  g.memory = 0;
  g.image = "other";
  CHECK(shape(g) != first);
  g.image.clear();
  CHECK_THAT(refusal(g), Contains("image"));
}

TEST_CASE("states and reasons are what the engine says, and what the sub-agent did") {
  container_facts c;
  c.running = true;
  c.started = "t1";
  const auto state = [&](const std::string& stopped = "") {
    const auto s = state_of(c, stopped);
    return s.name + '/' + s.reason;
  };
  CHECK(state() == "running/");
  c.paused = true;
  CHECK(state() == "paused/");
  c.running = c.paused = false;
  CHECK(state() == "stopped/shutdown");
  c.exit_code = 3;
  CHECK(state() == "stopped/crashed:3");
  c.exit_code = 137;
  CHECK(state() == "stopped/killed");
  c.out_of_memory = true;
  CHECK(state() == "stopped/oom");
  CHECK(state("t1") == "stopped/user");
  CHECK(state("t0") == "stopped/oom"); // of an earlier run
  c.started.clear();
  CHECK(state() == "stopped/");
}

TEST_CASE("an inspected container may lack every member, or have it of another type") {
  for (const auto* text :
       {"{}", R"({"State":null,"Config":[],"NetworkSettings":{"Networks":null}})",
        R"({"State":{"Running":"x","ExitCode":1e400,"StartedAt":5},"Config":{"Labels":{"mistify.guest":7}}})"}) {
    const auto facts = read_container(rpc::json::document::parse(text).root());
    CHECK_FALSE(facts.running);
    CHECK(facts.guest.empty());
    CHECK(facts.started.empty());
  }
}
