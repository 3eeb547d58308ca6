#include "lab.hpp"
#include "rpc/agents/storage/command.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>

using namespace mistify::agents::storage;
using namespace mistify::test;
using Catch::Contains;

// What every backend does, whatever it is made of.
#define BACKENDS directory_lab, zfs_lab

namespace {

const auto disk = dataset_id::of_disk("g1", 0), second = dataset_id::of_disk("g1", 1);
const auto guest = dataset_id::of_guest("g1");

std::vector<std::string> ids(const std::vector<snapshot_facts>& of) {
  std::vector<std::string> texts;
  for (const auto& s : of)
    texts.push_back(s.id.text());
  return texts;
}

std::vector<std::string> ids(const std::vector<volume_facts>& of) {
  std::vector<std::string> texts;
  for (const auto& v : of)
    texts.push_back(v.id.text());
  return texts;
}

using texts = std::vector<std::string>;

} // namespace

TEMPLATE_TEST_CASE("a volume is made, found, listed and destroyed", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  CHECK(store.list("").empty());
  store.create(disk, 8 * mb);
  store.create(dataset_id::parse("data/a"), 16 * mb);
  const auto found = store.find(disk);
  REQUIRE(found);
  CHECK(found->size == 8 * mb);
  CHECK(std::filesystem::exists(found->device));
  CHECK(ids(store.list("")) == texts{"data/a", "guests/g1/disk-0"});
  CHECK(ids(store.list("guests/g1/")) == texts{"guests/g1/disk-0"});
  CHECK(store.list("images/").empty());
  lab.restart();
  CHECK(ids(lab.store().list("")) == texts{"data/a", "guests/g1/disk-0"});
  lab.store().destroy(disk);
  lab.store().destroy(disk);
  CHECK_FALSE(lab.store().find(disk));
  CHECK_THROWS_WITH(lab.store().create(dataset_id::parse("data/a"), 16 * mb), Contains("exists"));
}

TEMPLATE_TEST_CASE("a store that another one has is refused, and nothing of it is swept", "", BACKENDS) {
  TestType lab;
  lab.store().create(disk, 8 * mb);
  const auto half = lab.store().staging() / "half";
  std::ofstream{half} << "on its way";
  CHECK_THROWS_WITH(lab.open_again(), Contains("in use by another process"));
  CHECK(std::filesystem::exists(half));
  lab.restart();
  CHECK_FALSE(std::filesystem::exists(half));
  CHECK(lab.store().find(disk));
}

TEST_CASE_METHOD(zfs_lab, "a pool that another store has is refused, whatever folder it is used from") {
  CHECK_THROWS_WITH(zfs_store{settings("other/staging")}, Contains("zfs-") && Contains("in use by another process"));
  store_.reset();
  CHECK_NOTHROW(zfs_store{settings("other/staging")});
}

TEMPLATE_TEST_CASE("a disk begins with its image's content and goes its own way", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  const auto image = lab.image("base", 8, 'A');
  CHECK(store.find(image)->size == 8 * mb);
  CHECK(store.origin_of(image) == "http://example/base");
  const auto kind = GENERATE(clone_kind::overlay, clone_kind::full);
  store.clone(image, disk, 12 * mb, kind);
  CHECK(store.find(disk)->size == 12 * mb);
  CHECK(lab.letter_at(disk, 0) == 'A');
  CHECK(lab.letter_at(disk, 9) == 0);
  lab.write(disk, 0, 'B');
  lab.write(disk, 9, 'C');
  store.clone(image, second, 8 * mb, kind);
  CHECK(lab.letter_at(second, 0) == 'A');
  CHECK(lab.letter_at(disk, 0) == 'B');
  CHECK(lab.letter_at(disk, 9) == 'C');
}

TEMPLATE_TEST_CASE("an image stays while disks stand on it, and not for copies of it", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  const auto image = lab.image("base", 8, 'A');
  store.clone(image, disk, 8 * mb, clone_kind::overlay);
  CHECK_THROWS_AS(store.destroy(image), std::runtime_error);
  store.snapshot({disk, "s"});
  CHECK_THROWS_AS(store.destroy(image), std::runtime_error);
  CHECK(store.find(image));
  store.destroy(guest);
  store.clone(image, disk, 8 * mb, clone_kind::full);
  store.destroy(image);
  CHECK_FALSE(store.find(image));
  CHECK(lab.letter_at(disk, 0) == 'A');
  CHECK_THROWS_WITH(store.clone(image, second, 8 * mb, clone_kind::overlay), "not found");
}

TEMPLATE_TEST_CASE("a raw disk that a guest made look like a qcow2 file is copied as it is", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  const auto secret = lab.image("secret", 1, 'S');
  store.create(disk, 8 * mb);
  const auto file = lab.folder() / "evil";
  mistify::agents::storage::run(
    {"qemu-img", "create", "-q", "-f", "qcow2", "-u", "-F", "qcow2", "-b", store.find(secret)->device, file, "1M"});
  // What the guest sees of its disk begins like a qcow2 file.
  mistify::agents::storage::run(
    {"qemu-img", "dd", "-f", "raw", "-O", "raw", "if=" + file.string(), "of=" + file.string() + ".raw", "bs=65536"});
  std::filesystem::copy(file.string() + ".raw", store.staging() / "source");
  store.import_image(store.staging() / "source", "raw", dataset_id::of_image("copy"), "here", {});
  store.clone(dataset_id::of_image("copy"), second, 8 * mb, clone_kind::full);
  CHECK(lab.letter_at(second, 0) == 'Q');
}

TEMPLATE_TEST_CASE("a volume remembers the guest whose disk it is", "", BACKENDS) {
  TestType lab;
  const auto data = dataset_id::parse("data/a");
  lab.store().create(data, 8 * mb);
  CHECK(lab.store().owner_of(data).empty());
  lab.store().set_owner(data, "g1");
  lab.restart();
  CHECK(lab.store().owner_of(data) == "g1");
  lab.store().set_owner(data, "");
  CHECK(lab.store().owner_of(data).empty());
}

TEMPLATE_TEST_CASE("a rollback takes a disk back to what it was", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  store.create(disk, 8 * mb);
  lab.write(disk, 1, 'A');
  store.snapshot({disk, "one"});
  lab.write(disk, 1, 'B');
  store.rollback({disk, "one"}, false);
  CHECK(lab.letter_at(disk, 1) == 'A');
  lab.write(disk, 1, 'C');
  store.rollback({disk, "one"}, false);
  CHECK(lab.letter_at(disk, 1) == 'A');
  CHECK(ids(store.snapshots(disk.text())) == texts{"guests/g1/disk-0@one"});
  CHECK_THROWS_WITH(store.rollback({disk, "none"}, false), "not found");
}

TEMPLATE_TEST_CASE("more recent snapshots stop a rollback, or are destroyed by it", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  store.create(disk, 8 * mb);
  for (const char letter : {'1', '2', '3'}) {
    lab.write(disk, 1, letter);
    store.snapshot({disk, std::string{"s"} + letter});
  }
  lab.write(disk, 1, 'X');
  CHECK_THROWS_WITH(store.rollback({disk, "s1"}, false),
                    Contains("more recent snapshots") && Contains("s2") && Contains("s3"));
  CHECK(lab.letter_at(disk, 1) == 'X');
  CHECK(store.snapshots("").size() == 3);
  store.rollback({disk, "s1"}, true);
  CHECK(lab.letter_at(disk, 1) == '1');
  CHECK(ids(store.snapshots("")) == texts{"guests/g1/disk-0@s1"});
}

TEMPLATE_TEST_CASE("a snapshot in the middle goes, and its neighbours keep what they hold", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  const auto image = lab.image("base", 8, 'A');
  store.clone(image, disk, 8 * mb, clone_kind::overlay);
  for (const char letter : {'1', '2', '3'}) {
    lab.write(disk, static_cast<std::uint64_t>(letter - '0'), letter);
    store.snapshot({disk, std::string{"s"} + letter});
  }
  const auto gone = GENERATE(as<std::string>{}, "s1", "s2", "s3");
  store.destroy_snapshot({disk, gone}, false);
  CHECK(store.snapshots("").size() == 2);
  CHECK_THROWS_WITH(store.destroy_snapshot({disk, gone}, false), "not found");
  for (const char letter : {'1', '2', '3'})
    CHECK(lab.letter_at(disk, static_cast<std::uint64_t>(letter - '0')) == letter);
  lab.restart();
  const auto oldest = lab.store().snapshots("").front().id;
  lab.store().rollback(oldest, true);
  CHECK(lab.letter_at(disk, 0) == 'A');
  CHECK(lab.letter_at(disk, 1) == '1');
  CHECK(lab.letter_at(disk, 3) == 0);
}

TEMPLATE_TEST_CASE("a guest's snapshot is one of all its disks", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  CHECK_THROWS_WITH(store.snapshot({guest, "s"}), "not found");
  store.create(disk, 8 * mb);
  store.create(second, 8 * mb);
  lab.write(disk, 1, 'A');
  lab.write(second, 1, 'B');
  store.snapshot({guest, "s"});
  CHECK(ids(store.snapshots(guest.text())) == texts{"guests/g1@s", "guests/g1/disk-0@s", "guests/g1/disk-1@s"});
  CHECK(ids(store.snapshots(second.text())) == texts{"guests/g1/disk-1@s"});
  CHECK_THROWS_WITH(store.snapshot({guest, "s"}), Contains("exists"));
  lab.write(disk, 1, 'X');
  lab.write(second, 1, 'Y');
  store.rollback({guest, "s"}, false);
  CHECK(lab.letter_at(disk, 1) == 'A');
  CHECK(lab.letter_at(second, 1) == 'B');
  store.destroy_snapshot({guest, "s"}, true);
  CHECK(store.snapshots("").empty());
}

TEMPLATE_TEST_CASE("a guest's snapshot that a disk has no part of is none", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  store.create(disk, 8 * mb);
  store.create(second, 8 * mb);
  store.snapshot({guest, "s"});
  lab.write(disk, 1, 'X');
  store.destroy_snapshot({second, "s"}, false);
  CHECK(ids(store.snapshots("")) == texts{"guests/g1/disk-0@s"});
  CHECK_THROWS_WITH(store.rollback({guest, "s"}, true), Contains("guests/g1/disk-1 has no snapshot s"));
  CHECK(lab.letter_at(disk, 1) == 'X');
  if constexpr (std::is_same_v<TestType, zfs_lab>)
    CHECK_THROWS_WITH(store.open_snapshot({guest, "s"}, stream_format::raw), Contains("guests/g1/disk-1"));
  else
    CHECK_THAT(all_of(store.open_snapshot({guest, "s"}, stream_format::qcow2)),
               Contains("INCOMPLETE.txt") && Contains("without s: guests/g1/disk-1"));
  store.rollback({disk, "s"}, false);
  CHECK(lab.letter_at(disk, 1) == 0);
}

TEMPLATE_TEST_CASE("what disks were promised is not given away again", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  const auto image = lab.image("base", 1024, 'A');
  const auto before = store.free_space();
  store.clone(image, disk, 1024 * mb, clone_kind::overlay);
  const auto after = store.free_space();
  CHECK(before - after > 900 * mb);
  store.space().set({.promised_percent = 50});
  CHECK(store.free_space() - after > 400 * mb);
}

TEMPLATE_TEST_CASE("a guest's rollback changes no disk where one has more recent snapshots", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  store.create(disk, 8 * mb);
  store.create(second, 8 * mb);
  store.snapshot({guest, "s"});
  lab.write(disk, 1, 'X');
  store.snapshot({second, "later"});
  CHECK_THROWS_WITH(store.rollback({guest, "s"}, false), Contains("later"));
  CHECK(lab.letter_at(disk, 1) == 'X');
  store.rollback({guest, "s"}, true);
  CHECK(lab.letter_at(disk, 1) == 0);
  CHECK(ids(store.snapshots("")) == texts{"guests/g1@s", "guests/g1/disk-0@s", "guests/g1/disk-1@s"});
}

TEMPLATE_TEST_CASE("a guest goes with its disks and their snapshots, and no other", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  const auto other = dataset_id::of_disk("g10", 0);
  for (const auto& id : {disk, second, other})
    store.create(id, 8 * mb);
  store.snapshot({guest, "s"});
  store.destroy(guest);
  store.destroy(guest);
  CHECK(ids(store.list("")) == texts{"guests/g10/disk-0"});
  CHECK(store.snapshots("").empty());
}

TEMPLATE_TEST_CASE("a disk that a guest runs on is neither rolled back nor destroyed", "", BACKENDS) {
  TestType lab;
  auto& store = lab.store();
  store.create(disk, 8 * mb);
  store.snapshot({disk, "s"});
  lab.write(disk, 1, 'A');
  const auto v = store.find(disk).value();
  {
    const running_guest machine{v.device, v.format};
    CHECK_THROWS_WITH(store.rollback({disk, "s"}, true), Contains("in use"));
    CHECK_THROWS_WITH(store.destroy(disk), Contains("in use"));
    CHECK_THROWS_WITH(store.destroy(guest), Contains("in use"));
  }
  CHECK(lab.letter_at(disk, 1) == 'A');
  CHECK(store.snapshots("").size() == 1);
  store.rollback({disk, "s"}, true);
}
