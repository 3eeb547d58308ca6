#include "rpc/agents/storage/source_image.hpp"

#include "rpc/agents/storage/qemu_img.hpp"
#include "rpc/base/pread_all.hpp"
#include "rpc/images/backing_chain.hpp"
#include "rpc/images/qcow2_header.hpp"
#include "rpc/images/store_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <endian.h>
#include <stdexcept>
#include <sys/stat.h>
#include <vector>

namespace mistify::agents::storage {

namespace {

constexpr std::uint64_t offset_mask = 0x00ff'ffff'ffff'fe00;
constexpr std::uint64_t compressed_bit = std::uint64_t{1} << 62;
constexpr std::uint64_t sector = 512;
constexpr unsigned extended_l2_bit = 16; // of the incompatible features

[[noreturn]] void refuse(const char* what) {
  throw std::runtime_error{std::string{"the image is cut off or damaged: "} + what};
}

/// One look at a file.
class inspection {
public:
  explicit inspection(const std::filesystem::path& path) : file_{mistify::images::open_disk(path)} {
    struct stat facts {};
    const auto header = mistify::images::read_qcow2(file_.fd.get());
    if (!header || ::fstat(file_.fd.get(), &facts) != 0)
      refuse("it has no head");
    header_ = *header;
    length_ = static_cast<std::uint64_t>(facts.st_size);
    std::array<unsigned char, 80> head{};
    const auto size = rpc::read_at(file_.fd.get(), 0, reinterpret_cast<char*>(head.data()), head.size());
    if (size == head.size() && head[7] == 3 && (head[79] & extended_l2_bit) != 0)
      words_per_entry_ = 2; // the second: which parts of the cluster are there
  }

  void run() {
    const auto needed = (header_.size + header_.cluster() - 1) / header_.cluster();
    const auto words = header_.cluster() / sizeof(std::uint64_t), per_table = words / words_per_entry_;
    if (header_.l1_entries < (needed + per_table - 1) / per_table)
      refuse("its first table is too short for its size");
    for (const auto offset : tables())
      look_at(table(offset, words));
  }

private:
  /// Each once. They begin at clusters, as in QEMU, so that all of them together are no longer than the file: tables that
  /// overlap would have it read many times over.
  std::vector<std::uint64_t> tables() const {
    auto offsets = table(header_.l1_offset, header_.l1_entries);
    for (auto& offset : offsets)
      offset &= offset_mask;
    std::ranges::sort(offsets);
    offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
    std::erase(offsets, 0);
    if (std::ranges::any_of(offsets, [&](std::uint64_t offset) { return offset % header_.cluster() != 0; }))
      refuse("a table does not begin at a cluster");
    return offsets;
  }

  std::vector<std::uint64_t> table(std::uint64_t offset, std::uint64_t entries) const {
    std::vector<std::uint64_t> found(entries);
    const auto size = entries * sizeof(std::uint64_t);
    if (rpc::read_at(file_.fd.get(), offset, reinterpret_cast<char*>(found.data()), size) != size)
      refuse("a table lies beyond its end");
    for (auto& entry : found)
      entry = be64toh(entry);
    return found;
  }

  void look_at(const std::vector<std::uint64_t>& entries) const {
    for (std::size_t i = 0; i < entries.size(); i += words_per_entry_)
      if (const auto entry = entries[i]; (entry & compressed_bit) != 0)
        look_at_compressed(entry);
      else if (const auto offset = entry & offset_mask; offset != 0)
        expect_within(offset, words_per_entry_ == 1 ? header_.cluster() : bytes_there(entries[i + 1]));
  }

  /// Of a cluster in 32 parts: those up to the last one that is there. The file may end behind it.
  std::uint64_t bytes_there(std::uint64_t parts) const {
    return static_cast<std::uint64_t>(std::bit_width(static_cast<std::uint32_t>(parts))) * (header_.cluster() / 32);
  }

  /// The number of sectors after the first one is in the upper bits. The last of them may be cut off by the end of the file,
  /// since compressed data end anywhere in it; it has to begin, though.
  void look_at_compressed(std::uint64_t entry) const {
    const auto bits = 62 - (header_.cluster_bits - 8);
    const auto offset = entry & ((std::uint64_t{1} << bits) - 1);
    const auto more = (entry & (compressed_bit - 1)) >> bits;
    expect_within(offset, 1);
    expect_within(offset / sector * sector + more * sector, 1);
  }

  void expect_within(std::uint64_t offset, std::uint64_t size) const {
    if (offset > length_ || size > length_ - offset)
      refuse("data lie beyond its end");
  }

  mistify::images::disk_file file_;
  mistify::images::qcow2_header header_;
  std::uint64_t length_ = 0;
  std::size_t words_per_entry_ = 1; // of a second table
};

} // namespace

void expect_whole(const std::filesystem::path& file) {
  inspection{file}.run();
}

void expect_sound_source(const std::filesystem::path& file, const std::string& format,
                         const std::function<bool()>& stop) {
  if (format != "qcow2")
    return;
  const auto chain =
    mistify::images::backing_chain(file, mistify::images::disk_format::qcow2, {{file.parent_path(), false}});
  if (chain.size() > 1)
    throw std::runtime_error{"the image needs another file, which is not allowed"};
  expect_whole(file);
  qemu_img::check(file, stop);
}

std::uint64_t size_of_disk(const std::filesystem::path& file, const std::string& format) {
  return format == "qcow2" ? mistify::images::read_qcow2(file).value().size : std::filesystem::file_size(file);
}

} // namespace mistify::agents::storage
