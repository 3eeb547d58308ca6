#include "rpc/images/own_chain.hpp"

#include <catch2/catch.hpp>

using namespace mistify::images;

namespace {

/// Judges files below /store, the disk first.
void judge(const std::vector<std::string>& files) {
  std::vector<chain_link> chain;
  for (const auto& file : files)
    chain.push_back({"/store/" + file, disk_format::qcow2, false});
  expect_own_chain(chain, "/store");
}

} // namespace

TEST_CASE("a disk stands on its own snapshots, and at last on a base image") {
  CHECK_NOTHROW(judge({"guests/a/disk-0.qcow2"}));
  CHECK_NOTHROW(judge({"guests/a/disk-0.qcow2", "images/base.qcow2"}));
  CHECK_NOTHROW(judge({"guests/a/disk-0.qcow2", "guests/a/disk-0@two.qcow2", "guests/a/disk-0@one.qcow2"}));
  CHECK_NOTHROW(judge({"guests/a/disk-0@two.qcow2", "guests/a/disk-0@one.qcow2", "images/base.qcow2"}));
  CHECK_NOTHROW(judge({"data.qcow2", "data@one.qcow2", "images/base.qcow2"}));
  CHECK_NOTHROW(judge({"images/base.qcow2"}));
}

TEST_CASE("a disk that stands on what is not its own is refused by both names") {
  const std::string disk = "guests/a/disk-0.qcow2";
  for (const auto* other :
       {"guests/b/disk-0.qcow2", "guests/b/disk-0@one.qcow2", "guests/a/disk-1.qcow2", "guests/a/disk-1@one.qcow2",
        "guests/a/disk-0.qcow2", "data.qcow2", ".staging/new-0.qcow2", "images/more/base.qcow2"}) {
    INFO(other);
    CHECK_THROWS_AS(judge({disk, other}), disk_refused);
    CHECK_THROWS_AS(judge({disk, "guests/a/disk-0@one.qcow2", other}), disk_refused);
  }
  CHECK_THROWS_WITH(judge({disk, "guests/b/disk-7.qcow2"}),
                    "disk-0.qcow2: stands on what is not its own: disk-7.qcow2");
  CHECK_THROWS_AS(judge({"data.qcow2", "other@one.qcow2"}), disk_refused);
}

TEST_CASE("nothing is behind a base image") {
  CHECK_THROWS_AS(judge({"images/a.qcow2", "images/b.qcow2"}), disk_refused);
  CHECK_THROWS_AS(judge({"guests/a/disk-0.qcow2", "images/a.qcow2", "images/b.qcow2"}), disk_refused);
}
