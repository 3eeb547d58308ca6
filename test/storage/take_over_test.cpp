#include "lab.hpp"
#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/take_over.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace mistify::agents::storage;
using namespace mistify::test;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

constexpr store_owner heir{54321, 54322};
constexpr uid_t stranger = 54323;

struct stat facts_of(const fs::path& path) {
  struct stat facts {};
  REQUIRE(::lstat(path.c_str(), &facts) == 0);
  return facts;
}

bool is_heirs(const fs::path& path) {
  const auto facts = facts_of(path);
  return facts.st_uid == heir.user && facts.st_gid == heir.group;
}

/// A store that root kept.
struct old_store : directory_lab {
  fs::path root = folder() / "store";

  old_store() {
    std::ofstream{store().staging() / "source"} << std::string(65536, 'A');
    store().import_image(store().staging() / "source", "raw", dataset_id::of_image("base"), "here", {});
    store().clone(dataset_id::of_image("base"), dataset_id::of_disk("g1", 0), 8 * mb, clone_kind::overlay);
    store().create(dataset_id::parse("data/deep/a"), mb);
  }
};

bool cannot_give() {
  if (::geteuid() == 0)
    return false;
  WARN("not root: files cannot be given to others");
  return true;
}

} // namespace

TEST_CASE_METHOD(old_store, "a store of root's becomes mistify-storage's, once") {
  if (cannot_give())
    return;
  CHECK(take_over_store(root, heir) > 0);
  for (const auto& entry : fs::recursive_directory_iterator{root}) {
    INFO(entry.path());
    CHECK(is_heirs(entry.path()));
    CHECK((facts_of(entry.path()).st_mode & 07) == 0);
  }
  CHECK(is_heirs(root));
  CHECK((facts_of(root / "guests").st_mode & 07777) == 02750);
  CHECK((facts_of(root / "guests/g1/disk-0.qcow2").st_mode & 07777) == 0660);
  CHECK(take_over_store(root, heir) == 0);
}

TEST_CASE_METHOD(old_store, "a disk that libvirt gave back to root is taken over alone") {
  if (cannot_give())
    return;
  take_over_store(root, heir);
  REQUIRE(::chown((root / "guests/g1/disk-0.qcow2").c_str(), 0, 0) == 0);
  CHECK(take_over_store(root, heir) == 1);
  CHECK(is_heirs(root / "guests/g1/disk-0.qcow2"));
}

TEST_CASE_METHOD(old_store, "what is not root's, has a second name, is a link or not the store's stays as it is") {
  if (cannot_give())
    return;
  std::ofstream{folder() / "precious"} << "root's";
  fs::create_hard_link(folder() / "precious", root / "guests/g1/disk-1.qcow2");
  fs::create_symlink(folder() / "precious", root / "guests/g1/disk-2.qcow2");
  std::ofstream{root / "data/readme.txt"} << "somebody's";
  std::ofstream{root / "guests/g1/disk-3.qcow2"} << "a stranger's";
  REQUIRE(::chown((root / "guests/g1/disk-3.qcow2").c_str(), stranger, stranger) == 0);
  take_over_store(root, heir);
  CHECK(facts_of(folder() / "precious").st_uid == 0);
  CHECK(facts_of(root / "guests/g1/disk-2.qcow2").st_uid == 0);
  CHECK(facts_of(root / "data/readme.txt").st_uid == 0);
  CHECK(facts_of(root / "guests/g1/disk-3.qcow2").st_uid == stranger);
  CHECK(is_heirs(root / "guests/g1/disk-0.qcow2"));
}

TEST_CASE_METHOD(directory_lab, "a folder that is no store, or not there, stays as it is") {
  const auto shared = folder() / "shared";
  fs::create_directories(shared / "theirs");
  std::ofstream{shared / "theirs/file"} << "x";
  CHECK(take_over_store(shared, heir) == 0);
  CHECK(facts_of(shared).st_uid == ::geteuid());
  CHECK(take_over_store(folder() / "nowhere", heir) == 0);
}

TEST_CASE("a store is given to nobody who is not there") {
  CHECK_THROWS_WITH(find_store_owner("no-such-user", ""), Contains("no-such-user"));
  CHECK_THROWS_WITH(find_store_owner("root", "no-such-group"), Contains("no-such-group"));
}
