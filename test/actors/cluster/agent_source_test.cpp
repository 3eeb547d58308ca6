#include "actors/cluster/agent_source.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::actors;
using namespace mistify::actors::cluster;

namespace {

rpc::host_figures figures() {
  rpc::host_figures f;
  f.host.cpu.count = 4;
  f.host.memory.total = 10'000;
  f.stores.push_back({"pool", 1000, 900, 0});
  f.stores.push_back({"other", 500, 500, 0});
  return f;
}

} // namespace

TEST_CASE("the cluster is told the room that admission counts with, disks too") {
  const store::host_board board;
  host_state host{host_options{2, 1.5, 1000, 100}, true, board};
  host.put(figures());
  const auto told = room_of(host.capacity());
  CHECK(told.total == resources{14'000, 1400, 8});
  CHECK(told.available == told.total);
}

TEST_CASE("what the cluster may use is the total less what was promised, never below nothing") {
  host_capacity has;
  has.memory = {1000, 0, 400};
  has.cpu = {4, 4, 8};
  has.disk = {500, 100, 100};
  CHECK(room_of(has).total == resources{1000, 500, 4});
  CHECK(room_of(has).available == resources{600, 400, 0});
}

TEST_CASE("a host in maintenance has its size in the cluster, and no room") {
  host_capacity has;
  has.memory = has.cpu = has.disk = {100, 0, 10};
  has.maintenance.on = true;
  CHECK(room_of(has).total == resources{100, 100, 100});
  CHECK(room_of(has).available == resources{});
}

TEST_CASE("without figures of a sub-agent the cluster is told the kernel's, and no disk") {
  const store::host_board board;
  const host_state never_asks{std::nullopt, false, board}, not_yet{std::nullopt, true, board};
  for (const auto* host : {&never_asks, &not_yet}) {
    const auto told = room_of(host->capacity());
    CHECK(told.total.memory > 0);
    CHECK(told.total.cpu > 0);
    CHECK(told.total.disk == 0);
  }
}
