#include "lab.hpp"
#include "rpc/agents/storage/command.hpp"
#include "rpc/agents/storage/storage_agent.hpp"
#include "rpc/agents/storage/zfs_store.hpp"
#include "test/rpc/agent_calls.hpp"
#include "web_source.hpp"
#include "zfs_send.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::test;
using agents::storage::clone_kind;
using agents::storage::fetch_settings;
using Catch::Contains;

namespace {

/// The sub-agent on the stand-in for ZFS.
struct zfs_agent_lab {
  temp_dir dir;
  web_source web;
  agents::storage::backend* store = nullptr; // the agent's
  agents::storage::storage_agent agent{0, open(), settings()};
  caller rpc{agent.server()};

  std::unique_ptr<agents::storage::backend> open() {
    std::filesystem::copy(FAKE_ZFS, dir.path() / "zfs");
    dir.write("state/tank/type", "filesystem\n");
    auto made = std::make_unique<agents::storage::zfs_store>(
      agents::storage::zfs_settings{"tank", dir.path() / "staging", (dir.path() / "zfs").string(), dir.path() / "dev"});
    store = made.get();
    return made;
  }
  static fetch_settings settings() {
    fetch_settings made;
    made.reading.nets = {"127.0.0.0/8"};
    made.limits.max_size = 16 * mb;
    return made;
  }
  std::string fetch(const std::string& id) {
    return rpc("ImageStore.RequestImage", R"({"id":")" + id + R"(","source":")" + web.url("/" + id) + "\"}");
  }
};

} // namespace

TEST_CASE_METHOD(zfs_agent_lab,
                 "a stream of zfs send becomes an image, packed or not, whatever its snapshot was called") {
  const std::string disk = std::string(2 * mb, 'A');
  web.body = zfs_send("theirs/images/x@then", disk);
  CHECK(
    fetch("plain") ==
    R"({"images":[{"id":"plain","type":"kvm","volume":"tank/images/plain","snapshot":"tank/images/plain@0","size":2,"status":"complete"}]})");
  web.body = agents::storage::run({"gzip", "-c", dir.write("stream", zfs_send("theirs/x@0", disk))});
  CHECK_THAT(fetch("packed"), Contains("complete"));
  CHECK_THAT(store->origin_of(dataset_id::of_image("packed")), Contains(web.url("/packed")));
  const auto to = dataset_id::of_disk("0a1b2c3d-0000-4000-8000-000000000001", 0);
  store->clone(dataset_id::of_image("plain"), to, 2 * mb, clone_kind::overlay);
  CHECK(store->find(to)->size == 2 * mb);
  CHECK(std::filesystem::is_empty(store->staging()));
}

TEST_CASE_METHOD(zfs_agent_lab,
                 "streams that are no whole volume, or too large a one, are refused, and leave nothing") {
  for (const auto& [body, why] : {std::pair{zfs_send("a@b", "x", {.type = 2}), "whole one of a single volume"},
                                  std::pair{zfs_send("a@b", "x", {.kind = 2}), "whole one of a single volume"},
                                  std::pair{zfs_send("a@b", "x", {.from = 1}), "whole one of a single volume"},
                                  std::pair{zfs_send("a", "x"), "whole one of a single volume"},
                                  std::pair{zfs_send("a@-x y", "x"), "invalid snapshot"}}) {
    web.body = body;
    CHECK_THROWS_WITH(fetch("x"), Contains(why));
  }
  web.body = agents::storage::run({"gzip", "-c", dir.write("stream", zfs_send("a@b", std::string(17 * mb, 'A')))});
  CHECK_THROWS_WITH(fetch("x"), Contains("larger than 16 MB"));
  CHECK(store->list("").empty());
  CHECK(std::filesystem::is_empty(store->staging()));
}
