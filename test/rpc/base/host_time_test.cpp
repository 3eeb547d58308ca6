#include "rpc/base/host_time.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace std::chrono_literals;

TEST_CASE("a boot id that cannot be read is empty, and points in time are of one boot all the same") {
  CHECK(rpc::read_boot_id("/no/such/file").empty());
  CHECK(rpc::read_boot_id("/dev/null").empty());
  CHECK_FALSE(rpc::host_now().boot.empty());
  CHECK(rpc::host_now().boot == rpc::host_now().boot);
  if (const auto id = rpc::read_boot_id(); !id.empty())
    CHECK(rpc::host_now().boot == id);
}
