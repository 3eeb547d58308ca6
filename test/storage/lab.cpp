#include "lab.hpp"

#include "rpc/agents/storage/command.hpp"
#include "rpc/agents/storage/directory_store.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace mistify::test {

namespace {

using namespace agents::storage;

void qemu_io(const volume_facts& v, const std::string& what) {
  agents::storage::run({"qemu-io", "-f", v.format, "-c", what, v.device});
}

} // namespace

running_guest::running_guest(const std::string& device, const std::string& format) {
  const temp_dir dir;
  const auto told = (dir.path() / "told").string();
  in_ = ::popen(("qemu-io -f " + format + " " + device + " > " + told).c_str(), "w");
  std::fputs("length\n", in_);
  std::fflush(in_);
  for (int i = 0; i < 500 && (!std::filesystem::exists(told) || std::filesystem::file_size(told) < 8); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
}

running_guest::~running_guest() {
  ::pclose(in_);
}

void lab::write(const dataset_id& id, std::uint64_t at_mb, char letter) {
  qemu_io(store().find(id).value(),
          "write -q -P " + std::to_string(static_cast<int>(letter)) + ' ' + std::to_string(at_mb) + "M 64k");
}

char lab::letter_at(const dataset_id& id, std::uint64_t at_mb) {
  const auto v = store().find(id).value();
  const auto out = (folder() / "read").string();
  agents::storage::run({"qemu-img", "dd", "-f", v.format, "-O", "raw", "bs=65536", "skip=" + std::to_string(at_mb * 16),
                        "count=" + std::to_string(at_mb * 16 + 1), "if=" + v.device, "of=" + out});
  std::ifstream in{out, std::ios::binary};
  return static_cast<char>(in.get());
}

dataset_id lab::image(const std::string& name, std::uint64_t size_mb, char letter) {
  const auto file = store().staging() / "source";
  std::ofstream{file, std::ios::binary} << std::string(64 * 1024, letter);
  std::filesystem::resize_file(file, size_mb * mb);
  const auto id = dataset_id::of_image(name);
  store().import_image(file, "raw", id, "http://example/" + name, {});
  return id;
}

std::unique_ptr<backend> directory_lab::open() {
  return std::make_unique<directory_store>(folder() / "store");
}

zfs_lab::zfs_lab() : command_{(folder() / "zfs").string()}, pool_{"tank"}, devices_{folder() / "dev"} {
  if (const char* real = std::getenv("MISTIFY_TEST_ZFS")) {
    command_ = "zfs";
    pool_ = real + ("/" + folder().filename().string());
    devices_ = "/dev/zvol";
    agents::storage::run({"zfs", "create", pool_});
  } else {
    std::filesystem::copy(FAKE_ZFS, command_);
    dir_.write("state/tank/type", "filesystem\n");
  }
  store_ = open();
}

zfs_lab::~zfs_lab() {
  if (is_real())
    agents::storage::run({"zfs", "destroy", "-R", pool_});
}

zfs_settings zfs_lab::settings(const std::string& staging) const {
  return {.pool = pool_,
          .staging = folder() / staging,
          .command = command_,
          .devices = devices_,
          .block_devices = is_real(),
          .locks = folder() / "locks"};
}

std::unique_ptr<backend> zfs_lab::open() {
  return std::make_unique<zfs_store>(settings("staging"));
}

std::string all_of(const byte_stream& stream) {
  std::string bytes;
  REQUIRE(stream.write([&](std::string_view piece) {
    bytes += piece;
    return true;
  }));
  if (stream.length >= 0)
    CHECK(bytes.size() == static_cast<std::size_t>(stream.length));
  return bytes;
}

} // namespace mistify::test
