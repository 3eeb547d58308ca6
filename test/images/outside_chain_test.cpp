#include "qcow2_maker.hpp"
#include "rpc/images/outside_chain.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <system_error>
#include <vector>

using namespace mistify::images;
using namespace mistify::test;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

struct outside_lab {
  temp_dir dir;
  fs::path home = fs::canonical(dir.path());

  fs::path put(const std::string& name, const qcow2_maker& head = {.backing_format = ""}) {
    return dir.write(name, head.bytes());
  }

  static std::vector<fs::path> block_devices() {
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& one : fs::directory_iterator{"/dev"})
      if (!one.is_symlink(none) && one.is_block_file(none))
        found.push_back(one.path());
    return found;
  }

  static std::string refusal_of(const fs::path& disk, disk_format format = disk_format::qcow2) {
    try {
      outside_chain(disk, format);
    } catch (const disk_refused& e) {
      return e.what();
    }
    return "taken";
  }
};

} // namespace

TEST_CASE_METHOD(outside_lab, "a chain outside of a store is all files of a disk, without symbolic links") {
  put("base.img");
  put("middle.qcow2", {.backing = home / "base.img", .backing_format = "raw"});
  put("top.qcow2", {.backing = "middle.qcow2"});
  fs::create_symlink("top.qcow2", home / "link");
  const auto chain = outside_chain(home / "link", disk_format::qcow2);
  REQUIRE(chain.size() == 3);
  CHECK(chain[0].path == home / "top.qcow2");
  CHECK(chain[1].format == disk_format::qcow2);
  CHECK(chain[2].path == home / "base.img");
  CHECK(chain[2].format == disk_format::raw);
  CHECK(virtual_size(chain[0]) == 1 << 20);
}

TEST_CASE_METHOD(outside_lab, "a raw disk is one file, whatever is in it") {
  const auto disk = put("raw.img", {.backing = "/etc/passwd", .backing_format = "raw"});
  CHECK(outside_chain(disk, disk_format::raw).size() == 1);
  CHECK(virtual_size({disk, disk_format::raw}) == fs::file_size(disk));
}

TEST_CASE_METHOD(outside_lab, "a link to a block device is resolved until the name is the system's") {
  const auto devices = block_devices();
  if (devices.size() < 2)
    return;
  const auto link = home / "link";
  fs::create_symlink(devices[0], home / "first");
  fs::create_symlink("first", link);
  const auto found = look_outside(link, disk_format::raw);
  CHECK(found.is_device);
  CHECK(found.path == devices[0]);
  fs::remove(link);
  fs::create_symlink(devices[1], link);
  CHECK(look_outside(link, disk_format::raw).path == devices[1]);
  CHECK(look_outside(devices[1], disk_format::raw).path == devices[1]);
}

TEST_CASE_METHOD(outside_lab, "what QEMU would have to guess, or read elsewhere, is refused") {
  CHECK_THAT(refusal_of(put("a", {.backing = "b", .backing_format = ""})), Contains("does not say which format"));
  CHECK_THAT(refusal_of(put("b", {.backing = "a", .backing_format = "vmdk"})), Contains("neither qcow2 nor raw"));
  CHECK_THAT(refusal_of(put("c", {.backing = "nbd:h:1"})), Contains("no plain file"));
  CHECK_THAT(refusal_of(put("d", {.backing_format = "", .data_file = "x"})), Contains("in another file"));
  CHECK_THAT(refusal_of(put("e", {.backing = "e"})), Contains("too many files"));
  CHECK_THAT(refusal_of(dir.write("f", "no header")), Contains("not a qcow2 file"));
  CHECK_THAT(refusal_of(put("g", {.backing = "/dev/null"})), Contains("neither a file nor a block device"));
  CHECK_THAT(refusal_of(home / "nowhere"), Contains("cannot be looked at"));
  CHECK_THAT(refusal_of("relative"), Contains("not an absolute path"));
  CHECK_THAT(refusal_of(home / "a\n"), Contains("control characters"));
  ::mkfifo((home / "pipe").c_str(), 0600);
  CHECK_THAT(refusal_of(home / "pipe"), Contains("neither a file nor a block device"));
}
