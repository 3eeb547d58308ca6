#include "lab.hpp"
#include "rpc/agents/storage/command.hpp"
#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/qemu_img.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace mistify::agents::storage;
using namespace mistify::test;
using Catch::Contains;

namespace {

const auto disk = dataset_id::of_disk("g1", 0);
const auto guest = dataset_id::of_guest("g1");

/// qemu-img has to find nothing wrong with the file, and the same in it as in the other.
void check_by_qemu(const std::string& file, const std::string& other, const std::string& format) {
  CHECK_THAT(run({"qemu-img", "check", "-f", "qcow2", file}), Contains("No errors were found"));
  CHECK_THAT(run({"qemu-img", "compare", "-U", "-f", "qcow2", "-F", format, file, other}), Contains("identical"));
}

} // namespace

TEST_CASE_METHOD(directory_lab, "the disk of a running guest is not snapshotted, and stays as it is") {
  store().create(disk, 8 * mb);
  const auto v = store().find(disk).value();
  {
    const running_guest machine{v.device, v.format};
    CHECK_THROWS_WITH(store().snapshot({disk, "s"}), "disk-0 is in use by a running guest; stop the guest first");
    CHECK_THROWS_WITH(store().snapshot({guest, "s"}), Contains("in use"));
  }
  CHECK(store().snapshots("").empty());
  store().snapshot({disk, "s"});
}

TEST_CASE_METHOD(directory_lab,
                 "a snapshot is read while the guest runs on, and what it reads stays until it is through") {
  store().create(disk, 8 * mb);
  write(disk, 1, 'A');
  store().snapshot({disk, "one"});
  store().snapshot({disk, "two"});
  const auto v = store().find(disk).value();
  const running_guest machine{v.device, v.format};
  auto stream = std::make_unique<byte_stream>(store().open_snapshot({disk, "two"}, stream_format::raw));
  CHECK_THROWS_WITH(store().destroy_snapshot({disk, "one"}, false), Contains("in use"));
  const auto bytes = all_of(*stream);
  CHECK(bytes.size() == 8 * mb);
  CHECK(bytes[mb] == 'A');
  CHECK(bytes[0] == 0);
}

TEST_CASE_METHOD(directory_lab, "a download is the disk at its snapshot, raw and as qcow2") {
  store().clone(image("base", 8, 'A'), disk, 20 * mb + 4096, clone_kind::overlay);
  write(disk, 3, 'B');
  store().snapshot({disk, "one"});
  write(disk, 3, 'C');
  write(disk, 15, 'D');
  store().snapshot({disk, "two"});
  write(disk, 5, 'E');
  const auto raw = all_of(store().open_snapshot({disk, "two"}, stream_format::raw));
  CHECK(raw.size() == 20 * mb + 4096);
  CHECK(raw[0] == 'A');
  CHECK(raw[3 * mb] == 'C');
  CHECK(raw[15 * mb + 65535] == 'D');
  CHECK(raw[5 * mb] == 0);
  const auto qcow2 = all_of(store().open_snapshot({disk, "two"}, stream_format::qcow2));
  CHECK(qcow2.size() < mb);
  check_by_qemu(dir_.write("two.qcow2", qcow2), dir_.write("two.raw", raw), "raw");
  const auto before = dir_.write("one.qcow2", all_of(store().open_snapshot({disk, "one"}, stream_format::qcow2)));
  check_by_qemu(before, folder_of(disk) / "disk-0@one.qcow2", "qcow2");
}

TEST_CASE_METHOD(directory_lab, "large and empty disks are downloaded as qcow2 files of the size of their data") {
  const auto size = GENERATE(as<std::uint64_t>{}, 1, 3000);
  store().create(disk, size * mb);
  store().snapshot({disk, "empty"});
  write(disk, size - 1, 'Z');
  store().snapshot({disk, "written"});
  for (const std::string name : {"empty", "written"}) {
    const auto file = dir_.write(name, all_of(store().open_snapshot({disk, name}, stream_format::qcow2)));
    CHECK(std::filesystem::file_size(file) < mb);
    check_by_qemu(file, folder_of(disk) / ("disk-0@" + name + ".qcow2"), "qcow2");
  }
}

TEST_CASE_METHOD(directory_lab, "a guest is downloaded as a tar of its disks") {
  const auto second = dataset_id::of_disk("g1", 1);
  store().create(disk, 8 * mb);
  store().create(second, 4 * mb);
  write(second, 2, 'Z');
  store().snapshot({guest, "s"});
  const auto file = dir_.write("all.tar", all_of(store().open_snapshot({guest, "s"}, stream_format::raw)));
  CHECK(run({"tar", "-tf", file}) == "disk-0.raw\ndisk-1.raw\n");
  const auto raw = run({"tar", "-xOf", file, "disk-1.raw"});
  CHECK(raw.size() == 4 * mb);
  CHECK(raw[2 * mb] == 'Z');
}

TEST_CASE_METHOD(directory_lab, "what a killed process left behind is swept at the next start") {
  namespace fs = std::filesystem;
  store().create(disk, 8 * mb);
  store().snapshot({disk, "good"});
  const auto folder = folder_of(disk);
  // Killed between the second name and the rename, and after a merge before the file went.
  fs::create_hard_link(folder / "disk-0.qcow2", folder / "disk-0@half.qcow2");
  fs::copy(folder / "disk-0@good.qcow2", folder / "disk-0@merged.qcow2");
  std::ofstream{store().staging() / "fetch-1"} << "half";
  restart();
  CHECK_FALSE(fs::exists(folder / "disk-0@half.qcow2"));
  CHECK_FALSE(fs::exists(folder / "disk-0@merged.qcow2"));
  CHECK(fs::exists(folder / "disk-0@good.qcow2"));
  CHECK(fs::is_empty(store().staging()));
  store().snapshot({disk, "half"});
  CHECK(store().snapshots("").size() == 2);
}

TEST_CASE_METHOD(directory_lab, "a disk whose file is broken loses no snapshot by it") {
  store().create(disk, 8 * mb);
  store().snapshot({disk, "s"});
  std::ofstream{store().find(disk)->device, std::ios::binary | std::ios::trunc} << "garbage";
  const auto kept = folder_of(disk) / "disk-0@s.qcow2";
  CHECK_THROWS_WITH(store().snapshot({disk, "t"}), Contains("not a qcow2 file"));
  restart();
  CHECK(std::filesystem::exists(kept));
}

TEST_CASE_METHOD(directory_lab, "a disk that has all the snapshots it can have is told to get no more") {
  directory_store small{folder() / "small", 2};
  small.create(disk, mb);
  small.snapshot({disk, "one"});
  small.snapshot({disk, "two"});
  CHECK_THROWS_WITH(small.snapshot({disk, "three"}), Contains("has 2 snapshots"));
  small.destroy_snapshot({disk, "one"}, false);
  small.snapshot({disk, "three"});
}

TEST_CASE_METHOD(directory_lab, "a disk that stands on what is not its own is neither copied nor read") {
  const auto other = dataset_id::of_disk("g2", 0);
  const auto base = image("base", 8, 'A');
  store().create(disk, 8 * mb);
  store().create(other, 8 * mb);
  write(other, 0, 'S');
  dir_.write("secret.qcow2", "x");
  const auto stand_on = [&](const dataset_id& which, const std::string& behind, const std::string& format) {
    run({"qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-F", format, "-b", behind, store().find(which)->device});
  };
  for (const auto& behind : {store().find(other)->device, (folder() / "secret.qcow2").string(),
                             (folder() / "store/../secret.qcow2").string(), std::string{"nbd://127.0.0.1:1/x"}}) {
    stand_on(disk, behind, "qcow2");
    CHECK_THROWS_AS(store().snapshot({disk, "s"}), std::runtime_error);
    stand_on(base, behind, "qcow2");
    for (const auto kind : {clone_kind::overlay, clone_kind::full})
      CHECK_THROWS_WITH(store().clone(base, dataset_id::of_disk("g3", 0), 8 * mb, kind), Contains("base.qcow2"));
  }
  stand_on(disk, "", "qcow2");
  store().snapshot({disk, "s"});
  const auto frozen = (folder_of(disk) / "disk-0@s.qcow2").string();
  run({"qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", store().find(other)->device, frozen});
  CHECK_THROWS_WITH(store().open_snapshot({disk, "s"}, stream_format::raw), Contains("not its own: disk-0.qcow2"));
  CHECK_THROWS_WITH(store().rollback({disk, "s"}, false), Contains("not its own"));
  CHECK_THROWS_WITH(store().destroy_snapshot({disk, "s"}, false), Contains("not its own"));
  CHECK(std::filesystem::is_empty(store().staging()));
}

TEST_CASE_METHOD(directory_lab,
                 "a disk that is a link to an image or to another disk is no disk, and loses no snapshot") {
  const auto base = image("base", 8, 'A'), other = dataset_id::of_disk("g2", 0);
  for (const auto& one : {other, disk})
    store().create(one, 8 * mb);
  store().snapshot({disk, "s"});
  const auto file = folder_of(disk) / "disk-0.qcow2", frozen = folder_of(disk) / "disk-0@s.qcow2";
  const auto kept = folder() / "kept";
  std::filesystem::rename(file, kept);
  const auto is_refused = Contains("disk-0.qcow2: leads to another file");
  for (const auto& target : {base, other}) {
    std::filesystem::remove(file);
    std::filesystem::create_symlink(store().find(target)->device, file);
    CHECK_THROWS_WITH(store().snapshot({disk, "t"}), is_refused);
    CHECK_THROWS_AS(store().grow(disk, 16 * mb), std::runtime_error); // the lock may refuse first
    CHECK_THROWS_WITH(store().rollback({disk, "s"}, false), is_refused);
    CHECK_THROWS_WITH(store().destroy_snapshot({disk, "s"}, false), is_refused);
    restart();
    CHECK(std::filesystem::exists(frozen));
    CHECK(store().find(target)->size == 8 * mb);
  }
  std::filesystem::rename(kept, file);
  CHECK_NOTHROW(store().open_snapshot({disk, "s"}, stream_format::raw));
  std::filesystem::remove(frozen);
  std::filesystem::create_symlink(store().find(base)->device, frozen);
  CHECK_THROWS_WITH(store().open_snapshot({disk, "s"}, stream_format::raw), Contains("disk-0@s.qcow2: leads to"));
}

TEST_CASE_METHOD(directory_lab, "a link may be a second name of an image") {
  std::filesystem::create_symlink("base.qcow2", folder_of(image("base", 8, 'A')) / "latest.qcow2");
  const auto latest = dataset_id::of_image("latest");
  store().clone(latest, disk, 8 * mb, clone_kind::overlay);
  CHECK(letter_at(disk, 0) == 'A');
}

TEST_CASE_METHOD(directory_lab, "a rollback that one disk of a guest refuses changes no other") {
  const auto second = dataset_id::of_disk("g1", 1);
  for (const auto& one : {disk, second})
    store().create(one, 8 * mb);
  store().snapshot({guest, "s"});
  write(disk, 0, 'A');
  const auto bytes = [this] {
    std::ifstream in{store().find(disk)->device, std::ios::binary};
    return std::string{std::istreambuf_iterator<char>{in}, {}};
  };
  const auto after = bytes();
  run({"qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", "nbd://127.0.0.1:1/x",
       (folder_of(disk) / "disk-1@s.qcow2").string()});
  CHECK_THROWS(store().rollback({guest, "s"}, false));
  CHECK(bytes() == after);
  CHECK(std::filesystem::is_empty(store().staging()));
}

TEST_CASE_METHOD(directory_lab, "an image stays while a damaged disk may stand on it, and others go") {
  const auto base = image("base", 8, 'A'), other = image("other", 8, 'B');
  store().clone(base, disk, 8 * mb, clone_kind::overlay);
  std::fstream{store().find(disk)->device, std::ios::in | std::ios::out | std::ios::binary}.seekp(4).write("\0\0\0\x09",
                                                                                                           4);
  CHECK_THROWS_WITH(store().destroy(base), Contains("in use"));
  store().destroy(other);
  CHECK_FALSE(store().find(other));
}

TEST_CASE_METHOD(directory_lab, "the store can be moved as a whole") {
  const auto image = this->image("base", 8, 'A');
  store().clone(image, disk, 8 * mb, clone_kind::overlay);
  store().snapshot({disk, "s"});
  store_.reset(); // which has it to itself
  std::filesystem::rename(folder() / "store", folder() / "elsewhere");
  const directory_store moved{folder() / "elsewhere"};
  const auto raw = all_of(moved.open_snapshot({disk, "s"}, stream_format::raw));
  CHECK(raw[0] == 'A');
}

TEST_CASE_METHOD(directory_lab, "an image file that was cut off or damaged is refused") {
  std::string content;
  for (unsigned i = 0, random = 1; i < 4 * mb; ++i, random = random * 1103515245 + 12345)
    content += static_cast<char>(random >> 16);
  const auto raw = dir_.write("raw", content);
  const auto packed = GENERATE(false, true);
  const auto whole = folder() / "whole";
  std::vector<std::string> command{"qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", raw, whole};
  if (packed)
    command.insert(command.begin() + 2, "-c");
  run(command);
  const auto take = [&] {
    store().import_image(store().staging() / "source", "qcow2", dataset_id::of_image("x"), "here", {});
  };
  const auto size = std::filesystem::file_size(whole);
  for (const auto cut : {size / 2, std::uintmax_t{70'000}, std::uintmax_t{1000}}) {
    std::filesystem::copy(whole, store().staging() / "source", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(store().staging() / "source", size - cut);
    CHECK_THROWS_WITH(take(), Contains("the image is"));
    CHECK_FALSE(store().find(dataset_id::of_image("x")));
  }
  std::filesystem::copy(whole, store().staging() / "source", std::filesystem::copy_options::overwrite_existing);
  take();
  CHECK(store().find(dataset_id::of_image("x"))->size == 4 * mb);
}

TEST_CASE_METHOD(directory_lab, "of all that is wrong with a damaged image the first fault is told") {
  const auto file = store().staging() / "source";
  run({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", file, "1M"});
  constexpr std::streamoff counts_of_clusters = 2 * 65536;
  std::fstream{file, std::ios::binary | std::ios::in | std::ios::out}.seekp(counts_of_clusters)
    << std::string(65536, '\0');
  CHECK_THROWS_WITH(qemu_img::check(file, {}), "the image is damaged: ERROR cluster 0 refcount=0 reference=1");
}

TEST_CASE_METHOD(directory_lab, "an image whose tables hold parts of clusters is taken") {
  const auto file = store().staging() / "source";
  run({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "extended_l2=on", file, "1G"});
  run({"qemu-io", "-f", "qcow2", "-c", "write -q -P 65 0 2k", "-c", "write -q -P 66 900M 6k", file});
  store().import_image(file, "qcow2", dataset_id::of_image("x"), "here", {});
  CHECK(letter_at(dataset_id::of_image("x"), 0) == 'A');
}

TEST_CASE_METHOD(directory_lab, "one broken disk does not hold up what has nothing to do with it") {
  const auto base = image("base", 8, 'A'), bad = image("bad", 8, 'B');
  store().create(disk, mb);
  store().create(dataset_id::of_disk("g2", 0), mb);
  for (const auto* who : {"g1", "g2"})
    store().snapshot({dataset_id::of_guest(who), "s"});
  const auto spoil = [](const std::filesystem::path& file) { std::ofstream{file} << "QFI\xfb garbage"; };
  spoil(folder_of(disk) / "disk-0@s.qcow2");
  spoil(folder_of(bad) / "bad.qcow2");
  CHECK(store().snapshots("").size() == 2); // those of g2
  CHECK_THROWS_WITH(store().snapshots(disk.text()), Contains("disk-0@s.qcow2"));
  CHECK_THROWS_WITH(store().find(bad), Contains("images/bad"));
  CHECK(store().list("images/").size() == 1);
  restart();
  store().destroy(base);
  store().destroy(bad);
  store().destroy(guest);
  CHECK(store().list("").size() == 1);
  CHECK_FALSE(std::filesystem::exists(folder_of(disk)));
}

TEST_CASE_METHOD(directory_lab, "what qemu-img says of a block is no word about locks") {
  const auto broken = dir_.write("broken.qcow2", "no disk at all");
  CHECK_THROWS_WITH(qemu_img::measure(broken, "qcow2"), !Contains("in use"));
  store().create(disk, mb);
  const auto v = store().find(disk).value();
  const running_guest machine{v.device, v.format};
  CHECK_THROWS_WITH(qemu_img::resize(v.device, 2 * mb), Contains("in use") && Contains("lock"));
}

TEST_CASE_METHOD(directory_lab, "a small file that would become a large disk takes no space") {
  const auto file = store().staging() / "source";
  run({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", file, "16M"});
  const auto free = store().space().left();
  CHECK(qemu_img::measure(file, "qcow2") <= 17 * mb);
  store().space().set({.reserve = free + 1024 * 1024 * mb});
  CHECK_THROWS_WITH(store().import_image(file, "qcow2", dataset_id::of_image("x"), "here", {}),
                    "no space left on device");
  CHECK_THROWS_WITH(store().snapshot({guest, "s"}), "not found");
  CHECK_FALSE(store().find(dataset_id::of_image("x")));
}
