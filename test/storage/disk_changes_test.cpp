#include "lab.hpp"
#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/image_lock.hpp"
#include "rpc/agents/storage/storage_agent.hpp"
#include "test/rpc/agent_calls.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::test;
using Catch::Contains;

namespace {

struct change_lab {
  static constexpr const char* id = "0a1b2c3d-0000-4000-8000-000000000001";

  temp_dir dir;
  agents::storage::backend* store = nullptr; // the agent's
  agents::storage::storage_agent agent{0, make(), {}};
  caller rpc{agent.server()};

  std::unique_ptr<agents::storage::backend> make() {
    auto made = std::make_unique<agents::storage::directory_store>(dir.path() / "store");
    store = made.get();
    return made;
  }

  rpc::guest call(const std::string& method, const rpc::guest& g, const std::string& params = "{}") {
    const auto text =
      rpc("ImageStore." + method, R"({"guest":)" + rpc::encode(g) + R"(,"action":"x","params":)" + params + "}");
    const auto answer = rpc::json::document::parse(text);
    return rpc::decode_guest(*answer.root().find("guest"));
  }

  /// A guest with a disk of 16 MB.
  rpc::guest made() {
    rpc::guest g;
    g.id = id;
    g.disks.emplace_back().size = 16;
    g = call("CreateGuestDisks", g);
    g.disks[0].device = "vda";
    return g;
  }

  bool exists(const std::string& volume) const { return store->find(dataset_id::parse(volume)).has_value(); }
  static std::string disk(int number) { return "guests/" + std::string{id} + "/disk-" + std::to_string(number); }
};

} // namespace

TEST_CASE_METHOD(change_lab, "a disk is attached under a number that no volume of the guest has") {
  auto g = call("AttachDisk", made(), R"({"size":8,"tier":"fast","apply":"either"})");
  REQUIRE(g.disks.size() == 2);
  CHECK(g.disks[1].volume == disk(1));
  CHECK(g.disks[1].size == 8);
  CHECK(g.disks[1].extra.at("tier") == R"("fast")");
  CHECK_FALSE(g.disks[1].extra.contains("apply"));
  CHECK(exists(disk(1)));
  g.disks[1].device = "vdb";
  g = call("DetachDisk", g, R"({"disk":1,"device":"vdb"})");
  CHECK(g.disks.size() == 1);
  CHECK(exists(disk(1))); // kept
  g = call("AttachDisk", g, R"({"size":8})");
  CHECK(g.disks[1].volume == disk(2));
}

TEST_CASE_METHOD(change_lab, "the number of a disk is never used again, even if its volume is gone") {
  auto g = call("AttachDisk", made(), R"({"size":8})");
  g.disks[1].device = "vdb";
  g = call("DetachDisk", g, R"({"disk":1,"device":"vdb","delete":true})");
  CHECK(g.extra.at("next_disk") == "2");
  CHECK(call("AttachDisk", g, R"({"size":8})").disks[1].volume == disk(2));
  int next = 3; // disk 2 is there, though this guest does not list it
  for (const std::string unreadable : {"-1", "\"7\"", "1e3", "99999999999", "null"}) {
    g.extra["next_disk"] = unreadable;
    CHECK(call("AttachDisk", g, R"({"size":8})").disks[1].volume == disk(next++));
  }
}

TEST_CASE_METHOD(change_lab, "a disk is not attached as a device that the guest has") {
  CHECK_THROWS_WITH(call("AttachDisk", made(), R"({"size":8,"device":"vda"})"), Contains("device: is a disk of"));
  CHECK_FALSE(exists(disk(1)));
}

TEST_CASE_METHOD(change_lab, "a detached disk's volume goes where that is asked for") {
  auto g = call("AttachDisk", made(), R"({"size":8})");
  g.disks[1].device = "vdb";
  g = call("DetachDisk", g, R"({"disk":1,"device":"vdb","delete":true})");
  CHECK_FALSE(exists(disk(1)));
  CHECK(exists(disk(0)));
  CHECK_THROWS_WITH(call("DetachDisk", g, R"({"disk":1,"device":"vdb"})"), "not found");
  CHECK_THROWS_WITH(call("DetachDisk", g, R"({"disk":0})"), "not found");
}

TEST_CASE_METHOD(change_lab,
                 "a volume that somebody made may be attached, by one guest, and is free again when it is detached") {
  rpc("ImageStore.CreateVolume", R"({"id":"data/one","size":4})");
  auto g = call("AttachDisk", made(), R"({"volume":"data/one"})");
  CHECK(g.disks[1].size == 4);
  CHECK_THROWS_WITH(call("AttachDisk", g, R"({"volume":"data/one"})"), Contains("is a disk of the guest already"));
  rpc::guest other;
  other.id = "0a1b2c3d-0000-4000-8000-000000000002";
  CHECK_THROWS_WITH(call("AttachDisk", other, R"({"volume":"data/one"})"), Contains("in use by another guest"));
  CHECK_THROWS_WITH(call("AttachDisk", other, R"({"volume":")" + disk(0) + "\"}"),
                    Contains("belongs to something else"));
  CHECK_THROWS_WITH(call("AttachDisk", other, R"({"source":")" + g.disks[0].source + "\"}"),
                    Contains("leads into the store"));
  g.disks[1].device = "vdb";
  call("DetachDisk", g, R"({"disk":1,"device":"vdb"})");
  CHECK(call("AttachDisk", other, R"({"volume":"data/one"})").disks.size() == 1);
}

TEST_CASE_METHOD(change_lab, "a disk grows and never becomes smaller, and what is in use is left to the hypervisor") {
  auto g = made();
  const auto wish = [](int size) { return R"({"disk":0,"device":"vda","size":)" + std::to_string(size) + "}"; };
  g = call("ResizeDisk", g, wish(32));
  CHECK(g.disks[0].size == 32);
  CHECK(store->find(dataset_id::parse(disk(0)))->size == 32 * mb);
  CHECK_THROWS_WITH(call("ResizeDisk", g, wish(31)), "size: the disk has 32 MB, and disks never become smaller");
  CHECK_THROWS_WITH(call("ResizeDisk", g, wish(60'000'000)), "no space left on device");
  {
    const agents::storage::image_lock machine{g.disks[0].source};
    CHECK(call("ResizeDisk", g, wish(48)).disks[0].size == 48);
    CHECK(store->find(dataset_id::parse(disk(0)))->size == 32 * mb);
  }
  CHECK(call("ResizeDisk", g, wish(48)).disks[0].size == 48);
  CHECK(store->find(dataset_id::parse(disk(0)))->size == 48 * mb);
}

TEST_CASE_METHOD(change_lab, "the store tells its size") {
  const auto answer = rpc::json::document::parse(rpc("ImageStore.StoreInfo", "{}"));
  const auto stores = answer.root().find("stores")->items("stores");
  REQUIRE(stores.size() == 1);
  const rpc::json::node& one = stores[0];
  CHECK(one.find("name")->as_string("name") == std::filesystem::canonical(dir.path() / "store").string());
  CHECK(one.find("total")->as_uint("total") >= one.find("free")->as_uint("free"));
  CHECK(one.find("total")->as_uint("total") > 0);
}
