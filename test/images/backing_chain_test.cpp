#include "qcow2_maker.hpp"
#include "rpc/images/backing_chain.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

using namespace mistify::images;
using namespace mistify::test;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

struct store_lab {
  temp_dir dir;
  fs::path store = fs::canonical(dir.path()) / "store";
  std::vector<store_root> roots{{store}};

  store_lab() {
    for (const auto* folder : {"store/images", "store/guests/g", "other"})
      fs::create_directories(dir.path() / folder);
  }

  fs::path put(const std::string& name, const qcow2_maker& head = {.backing_format = ""}) {
    return dir.write(name, head.bytes());
  }
  /// What is said about a disk with that name behind it.
  std::string refusal_of(const std::string& backing, const std::string& format = "qcow2") {
    const auto disk = put("store/guests/g/disk-0.qcow2", {.backing = backing, .backing_format = format});
    try {
      backing_chain(disk, roots);
    } catch (const disk_refused& e) {
      return e.what();
    }
    return "taken";
  }
};

} // namespace

TEST_CASE_METHOD(store_lab, "a chain is all files of a disk, without symbolic links") {
  put("store/images/base.qcow2");
  put("store/guests/g/disk-0@s.qcow2", {.backing = "../../images/base.qcow2"});
  const auto disk = put("store/guests/g/disk-0.qcow2", {.backing = "./disk-0@s.qcow2"});
  fs::create_symlink("guests", store / "link");
  for (const auto& name : {disk, store / "link/g/disk-0.qcow2"}) {
    const auto chain = backing_chain(name, roots);
    REQUIRE(chain.size() == 3);
    CHECK(chain[0].path == store / "guests/g/disk-0.qcow2");
    CHECK(chain[1].path == store / "guests/g/disk-0@s.qcow2");
    CHECK(chain[2].path == store / "images/base.qcow2");
    CHECK(chain[2].format == disk_format::qcow2);
  }
}

TEST_CASE_METHOD(store_lab, "a disk outside of the store is refused, by whatever name") {
  const auto foreign = put("other/disk.qcow2");
  fs::create_symlink(foreign, store / "images/link.qcow2");
  fs::create_symlink(dir.path() / "other", store / "images/folder");
  for (const auto& name : {foreign, store / "images/link.qcow2", store / "images/folder/disk.qcow2",
                           store / "images/../../other/disk.qcow2", store / "images/folder/../other/disk.qcow2"})
    CHECK_THROWS_AS(backing_chain(name, roots), disk_refused);
  CHECK_THROWS_WITH(backing_chain(foreign, roots), "disk.qcow2: does not lie in the store");
  CHECK_THROWS_WITH(backing_chain(store / "none.qcow2", roots), Contains("none.qcow2: No such file"));
  // Whether something is there is not told.
  fs::create_symlink(store, dir.path() / "alias");
  put("store/disk.qcow2");
  for (const auto& name :
       {dir.path() / "other/disk.qcow2", dir.path() / "none/disk.qcow2", store / "../other/disk.qcow2",
        store / "../none/disk.qcow2", store / "images/folder/none/disk.qcow2", dir.path() / "alias/disk.qcow2",
        fs::path{"/root/none/disk.qcow2"}})
    CHECK_THROWS_WITH(backing_chain(name, roots), "disk.qcow2: does not lie in the store");
  CHECK_THROWS_WITH(backing_chain("store/x.qcow2", roots), Contains("not an absolute path"));
  CHECK_THROWS_WITH(backing_chain(store / "a\nb.qcow2", roots), Contains("control characters"));
  CHECK_THROWS_AS(backing_chain(store, roots), disk_refused);
}

TEST_CASE_METHOD(store_lab, "a link from one folder of the store into another is followed") {
  const auto there = put("second/disk.qcow2");
  fs::create_symlink(there, store / "link.qcow2");
  CHECK(backing_chain(store / "link.qcow2", {{store, false}, {dir.path() / "second", false}}).front().path == there);
}

TEST_CASE_METHOD(store_lab, "a store beside one whose name it begins with is another") {
  fs::create_directories(dir.path() / "store-2");
  CHECK_THROWS_WITH(backing_chain(put("store-2/disk.qcow2"), roots), Contains("does not lie in the store"));
}

TEST_CASE_METHOD(store_lab, "what is behind a disk has to lie in the store as well") {
  const auto foreign = put("other/base.qcow2");
  put("store/images/base.qcow2");
  CHECK(refusal_of("../../images/base.qcow2") == "taken");
  CHECK_THAT(refusal_of(foreign.string()), Contains("does not lie in the store"));
  CHECK_THAT(refusal_of("../../../other/base.qcow2"), Contains("does not lie in the store"));
  CHECK_THAT(refusal_of("/etc/shadow", "raw"), Contains("does not lie in the store"));
  fs::create_symlink(foreign, store / "images/link.qcow2");
  CHECK_THAT(refusal_of("../../images/link.qcow2"), Contains("does not lie in the store"));
  fs::create_directories(dir.path() / "other/deep");
  fs::create_symlink(dir.path() / "other/deep", store / "guests/g/up");
  CHECK_THAT(refusal_of("up/../base.qcow2"), Contains("does not lie in the store"));
}

TEST_CASE_METHOD(store_lab, "a name that QEMU takes for more than a path is refused") {
  for (const std::string name : {"json:{\"driver\":\"file\",\"filename\":\"/etc/shadow\"}", "nbd://127.0.0.1/x",
                                 "nbd:127.0.0.1:1", "fat:/etc", "ssh://host/x", "file:/etc/shadow", "http://host/x"})
    CHECK_THAT(refusal_of(name), Contains("no plain file"));
  CHECK_THAT(refusal_of("./a\nb"), Contains("no plain file"));
  CHECK_THAT(refusal_of(std::string{"./base\0.qcow2", 13}), Contains("no plain file"));
  CHECK(names_a_protocol("a:b/c"));
  CHECK_FALSE(names_a_protocol("./a:b"));
}

TEST_CASE_METHOD(store_lab, "the format of what is behind a disk is not left to a guess") {
  put("store/images/base.qcow2");
  dir.write("store/images/base.raw", "x");
  CHECK_THAT(refusal_of("../../images/base.qcow2", ""), Contains("does not say which format"));
  CHECK_THAT(refusal_of("../../images/base.qcow2", "raw"), Contains("of another format"));
  CHECK_THAT(refusal_of("../../images/base.qcow2", "vmdk"), Contains("of another format"));
  CHECK_THAT(refusal_of("../../images/base.raw", "raw"), Contains("not a disk of the store"));
}

TEST_CASE_METHOD(store_lab, "a disk whose data are in another file is refused") {
  const auto by_bit = put("store/a.qcow2", {.backing_format = "", .features = 4});
  const auto by_name = put("store/b.qcow2", {.backing_format = "", .data_file = "/etc/shadow"});
  for (const auto& disk : {by_bit, by_name})
    CHECK_THROWS_WITH(backing_chain(disk, roots), Contains("keeps its data in another file"));
}

TEST_CASE_METHOD(store_lab, "a raw disk is one file, whatever a guest wrote to its begin") {
  const auto disk = put("store/disk", {.backing = "/etc/shadow", .backing_format = "raw"});
  const auto chain = backing_chain(disk, disk_format::raw, roots);
  REQUIRE(chain.size() == 1);
  CHECK(chain[0].format == disk_format::raw);
  CHECK_THROWS_WITH(backing_chain(dir.write("store/c.qcow2", "raw bytes"), roots), "c.qcow2: not a qcow2 file");
}

TEST_CASE_METHOD(store_lab, "a loop of disks has an end") {
  const auto disk = put("store/a.qcow2", {.backing = "b.qcow2"});
  put("store/b.qcow2", {.backing = "./a.qcow2"});
  CHECK_THROWS_WITH(backing_chain(disk, roots), "a.qcow2: too many files behind one another");
}

TEST_CASE_METHOD(store_lab, "what is no plain file is neither opened nor waited for") {
  REQUIRE(::mkfifo((store / "pipe.qcow2").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(backing_chain(store / "pipe.qcow2", roots), Contains("neither a file nor a block device"));
  CHECK_THROWS_WITH(backing_chain("/dev/zero", disk_format::raw, {{"/dev", true}}),
                    Contains("neither a file nor a block device"));
  const auto file = put("store/file");
  CHECK_THROWS_WITH(backing_chain(file, disk_format::raw, {{store, true}}), Contains("does not lie in the store"));
}
