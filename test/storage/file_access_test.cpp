#include "lab.hpp"
#include "rpc/agents/storage/directory_store.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

using namespace mistify::agents::storage;
using namespace mistify::test;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

const auto disk = dataset_id::of_disk("g1", 0);

unsigned mode_of(const fs::path& path) {
  struct stat facts {};
  REQUIRE(::lstat(path.c_str(), &facts) == 0);
  return facts.st_mode & 07777;
}

/// The most that anybody but the owner has of anything below a folder.
unsigned widest_below(const fs::path& root) {
  unsigned found = mode_of(root) & 077;
  for (const auto& entry : fs::recursive_directory_iterator{root})
    found |= mode_of(entry.path()) & 077;
  return found;
}

/// What a process makes whose starter did not care.
struct careless : directory_lab {
  mode_t before = ::umask(0);
  ~careless() override { ::umask(before); }

  void fill(backend& at) {
    std::ofstream{at.staging() / "source"} << std::string(65536, 'A');
    at.import_image(at.staging() / "source", "raw", dataset_id::of_image("base"), "here", {});
    at.clone(dataset_id::of_image("base"), disk, 8 * mb, clone_kind::overlay);
    at.create(dataset_id::parse("data/deep/a"), mb);
    at.snapshot({dataset_id::of_guest("g1"), "s"});
  }
};

} // namespace

TEST_CASE_METHOD(careless, "nobody but the store's user reaches its files") {
  const auto root = folder() / "new/store";
  directory_store made{root};
  fill(made);
  CHECK(widest_below(root) == 0);
  CHECK(mode_of(folder() / "new") == 0700);
}

TEST_CASE_METHOD(careless, "QEMU's group reads what machines stand on, and writes to their disks") {
  const auto root = folder() / "grouped";
  directory_store made{root, 100, file_access{::getegid()}};
  fill(made);
  CHECK(mode_of(root) == 02750);
  CHECK(mode_of(root / "guests/g1") == 02750);
  CHECK(mode_of(root / "images/base.qcow2") == 0440);
  CHECK(mode_of(root / "images/base.origin") == 0600);
  CHECK(mode_of(root / "guests/g1/disk-0.qcow2") == 0660);
  CHECK(mode_of(root / "guests/g1/disk-0@s.qcow2") == 0640);
  CHECK(mode_of(root / "data/deep/a.qcow2") == 0660);
  CHECK((widest_below(root) & 07) == 0);
}

TEST_CASE_METHOD(careless, "a store that others could read is closed at the next start") {
  fill(store());
  const auto root = folder() / "store";
  for (const auto& entry : fs::recursive_directory_iterator{root})
    fs::permissions(entry.path(), entry.is_directory() ? fs::perms{0755} : fs::perms{0644});
  fs::permissions(root, fs::perms{0755});
  restart();
  CHECK(widest_below(root) == 0);
}

TEST_CASE_METHOD(careless, "a folder with other things in it is not closed to those who use them") {
  const auto shared = folder() / "shared";
  fs::create_directories(shared / "theirs");
  directory_store made{shared};
  fill(made);
  CHECK(mode_of(shared) == 0777);
  CHECK(mode_of(shared / "theirs") == 0777);
  CHECK((mode_of(shared / "images") & 077) == 0);
  CHECK((mode_of(shared / "data") & 077) == 0);
}

TEST_CASE_METHOD(directory_lab, "a store whose folders are links is refused") {
  const auto part = GENERATE(as<std::string>{}, "images", "guests", ".staging", "data");
  const auto root = folder() / "linked";
  fs::create_directories(root);
  fs::create_directories(folder() / "elsewhere");
  fs::create_symlink(folder() / "elsewhere", root / part);
  CHECK_THROWS_WITH(directory_store{root}, Contains(part + ": is a symbolic link"));
  CHECK(fs::is_symlink(root / part));
}

TEST_CASE_METHOD(careless, "a store of the group is closed at the next start, images to all writing") {
  const auto root = folder() / "grouped";
  const file_access access{::getegid()};
  fill(*std::make_unique<directory_store>(root, 100, access));
  for (const auto& entry : fs::recursive_directory_iterator{root})
    fs::permissions(entry.path(), entry.is_directory() ? fs::perms{0755} : fs::perms{0666});
  directory_store{root, 100, access};
  CHECK(mode_of(root / "images") == 02750);
  CHECK(mode_of(root / "images/base.qcow2") == 0440);
  CHECK(mode_of(root / "guests/g1/disk-0.qcow2") == 0660);
  CHECK(mode_of(root / "guests/g1/disk-0@s.qcow2") == 0640);
}

TEST_CASE_METHOD(careless, "folders are made in the group's shape even where the bit that they inherit cannot be set") {
  const auto root = folder() / "inherits";
  fs::create_directory(root);
  fs::permissions(root, fs::perms{02750});
  const file_access access{::getegid()};
  access.apply_umask();
  fs::create_directory(root / "made");
  CHECK(mode_of(root / "made") == 02750);
}

TEST_CASE("the packaged service keeps disks as a user without rights over others, in the group of machines") {
  std::ifstream unit{fs::path{FAKE_ZFS}.parent_path() / "../../etc/systemd/mistify-storage.service"};
  const std::string text{std::istreambuf_iterator<char>{unit}, {}};
  CHECK_THAT(text, Contains("\nUser=mistify-storage\nGroup=mistify-disks\n"));
  CHECK_THAT(text, Contains("\nCapabilityBoundingSet=\n"));
  CHECK_THAT(text, Contains("\nStateDirectoryMode=2750\n"));
}

TEST_CASE("a group that is not there is told") {
  CHECK_THROWS_WITH(file_access::of_group("no-such-group"), Contains("no-such-group"));
}
