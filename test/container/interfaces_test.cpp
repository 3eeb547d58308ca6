#include "rpc/agents/container/container_metrics.hpp"
#include "rpc/agents/container/interfaces.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

namespace mistify::test {

using agents::container::container_facts;
using agents::container::interfaces;

namespace {

const std::string container(64, 'c');

/// A /proc as the kernel writes it of a container on three networks of podman's, which numbered them as it liked.
struct proc {
  temp_dir dir;

  proc() {
    std::filesystem::create_directories(dir.path() / "7/net");
    write("cgroup",
          "9:name=systemd:/libpod_parent/libpod-" + container + "\n0::/libpod_parent/libpod-" + container + "\n");
    write(
      "net/dev",
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls\n"
      "    lo:       9       9    0    0    0     0          0         0        9       9    0    0    0     0 0 0\n"
      "  eth1:     856      10    1    2    0     0          0         0      472       6    3    4    0     0 0 0\n"
      "  eth0:     684       8    0    0    0     0          0         0      472       6    0    0    0     0 0 0\n"
      "  eth2:4294967296     9    0    0    0     0          0         0      472       6    0    0    0     0 0 0\n");
    write("net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                       "eth2\t00000000\t0101590A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                       "eth0\t0000590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                       "eth2\t0001590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                       "eth1\t0002590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
    write("net/if_inet6", "fd000000000000000000000000000002 04 40 00 80     eth2\n"
                          "00000000000000000000000000000001 01 80 10 80       lo\n");
  }

  void write(const std::string& file, const std::string& text) const { std::ofstream{dir.path() / "7" / file} << text; }
  interfaces read(std::int64_t process = 7) const { return interfaces::of(process, container, dir.path()); }
};

std::string name_of(const interfaces& all, const std::string& address) {
  const auto* found = all.with(address);
  return found ? found->name : "none";
}

} // namespace

TEST_CASE("an interface is found by an address on its network") {
  const proc now;
  const auto all = now.read();
  CHECK(name_of(all, "10.89.0.2") == "eth0");
  CHECK(name_of(all, "10.89.1.77") == "eth2");
  CHECK(name_of(all, "10.89.2.2") == "eth1");
  CHECK(name_of(all, "fd00::2") == "eth2");
  for (const auto* other : {"10.89.3.2", "fd00::3", "", "x", "10.89.0.2/24", "::1 "})
    CHECK(name_of(all, other) == "none");
  const auto* eth1 = all.with("10.89.2.2");
  REQUIRE(eth1);
  CHECK(eth1->rx_bytes == 856);
  CHECK(eth1->rx_packets == 10);
  CHECK(eth1->rx_errors == 1);
  CHECK(eth1->rx_drops == 2);
  CHECK(eth1->tx_bytes == 472);
  CHECK(eth1->tx_packets == 6);
  CHECK(eth1->tx_errors == 3);
  CHECK(eth1->tx_drops == 4);
  CHECK(all.with("10.89.1.2")->rx_bytes == 4294967296);
}

TEST_CASE("networks that two interfaces have are those of none") {
  const proc now;
  now.write("net/route", "eth0\t0000590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                         "eth0\t0000590A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
                         "eth2\t0001590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                         "eth1\t0001590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
  CHECK(name_of(now.read(), "10.89.0.2") == "eth0");
  CHECK(name_of(now.read(), "10.89.1.2") == "none");
}

TEST_CASE("a process that is no longer the container's, or is out of sight, has no interfaces") {
  const proc now;
  for (const std::int64_t process : {0, -1, 8})
    CHECK(name_of(now.read(process), "10.89.0.2") == "none");
  CHECK(name_of(interfaces::of(7, "", now.dir.path()), "10.89.0.2") == "none");
  now.write("cgroup", "0::/user.slice\n");
  CHECK(name_of(now.read(), "10.89.0.2") == "none");
}

TEST_CASE("files of any kind are interfaces, or none") {
  const proc now;
  for (const auto& text : std::vector<std::string>{"", ":\n", "eth0:1 2 3\n", std::string(100'000, ':'),
                                                   "eth0: x -1 99999999999999999999 1 1 1 1 1 1 1 1 1 1 1 1 1\n",
                                                   "eth0 zz 00000000 0 0 0 0 zz\neth0 1 2\n"}) {
    now.write("net/dev", text);
    now.write("net/route", text);
    now.write("net/if_inet6", text);
    CHECK(name_of(now.read(), "10.89.0.2") == "none");
  }
}

TEST_CASE("the figures of nics go by their networks, in whatever order the engine numbered the interfaces") {
  const proc now;
  rpc::guest_metrics_response to;
  to.guest.nics.resize(4);
  const char* const networks[] = {"zeta", "alpha", "inner", "gone"};
  for (std::size_t i = 0; i < to.guest.nics.size(); ++i)
    to.guest.nics[i].network = networks[i];
  container_facts facts;
  facts.networks = {{"alpha", "", "10.89.1.2", ""}, {"inner", "", "10.89.2.2", ""}, {"zeta", "", "10.89.0.2", ""}};
  read_nics(now.read(), facts, to);
  REQUIRE(to.nic.size() == 3);
  CHECK(to.nic["zeta"].rx_bytes == 684);
  CHECK(to.nic["alpha"].rx_packets == 9);
  CHECK(to.nic["inner"].name == "inner");
  CHECK(to.nic["inner"].rx_bytes == 856);
}

} // namespace mistify::test
