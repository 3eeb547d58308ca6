#include "rpc/images/outside_chain.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <system_error>

namespace mistify::images {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_files = 128; // of a chain
constexpr std::size_t max_links = 40;  // as the kernel follows

[[noreturn]] void refuse(const fs::path& file, const std::string& reason) {
  throw disk_refused{file.filename().string() + ": " + reason};
}

/// Where the system itself makes the names of devices: below /dev, but not in a folder there that others may write to.
bool is_of_system(const fs::path& folder) {
  struct stat facts {};
  const fs::path top{"/dev"};
  const bool is_below = std::ranges::mismatch(top, folder).in1 == top.end();
  return is_below && ::stat(folder.c_str(), &facts) == 0 && facts.st_uid == 0 &&
         (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// Follows links until the name is one that the system made.
fs::path resolved_device(fs::path file) {
  for (std::size_t links = 0; links < max_links; ++links) {
    const auto folder = fs::canonical(file.parent_path());
    auto named = folder / file.filename();
    if (is_of_system(folder) || !fs::is_symlink(named))
      return named;
    file = folder / fs::read_symlink(named);
  }
  refuse(file, "too many symbolic links");
}

qcow2_header read_header(const chain_link& file) {
  std::optional<qcow2_header> header;
  try {
    header = read_qcow2(open_disk(file.path).fd.get());
  } catch (const std::exception& e) {
    refuse(file.path, std::string{"cannot be read: "} + e.what());
  }
  if (!header)
    refuse(file.path, "not a qcow2 file");
  if (header->external_data || !header->data_file.empty())
    refuse(file.path, "keeps its data in another file");
  return *header;
}

disk_format format_behind(const chain_link& top, const qcow2_header& header) {
  if (header.backing_format == "qcow2")
    return disk_format::qcow2;
  if (header.backing_format == "raw")
    return disk_format::raw;
  refuse(top.path, header.backing_format.empty() ? "does not say which format is behind it"
                                                 : "what is behind it is neither qcow2 nor raw");
}

std::uint64_t device_size(const chain_link& device) {
  struct stat facts {};
  if (::stat(device.path.c_str(), &facts) != 0)
    return 0;
  constexpr std::uint64_t sector = 512; // the kernel's unit here, whatever the device's is
  std::ifstream from{"/sys/dev/block/" + std::to_string(major(facts.st_rdev)) + ':' +
                     std::to_string(minor(facts.st_rdev)) + "/size"};
  std::uint64_t sectors = 0;
  return from >> sectors ? sectors * sector : 0;
}

} // namespace

chain_link look_outside(const fs::path& file, disk_format format) {
  if (!is_plain_text(file.native()))
    throw disk_refused{"a disk's path has control characters in it"};
  if (!file.is_absolute())
    refuse(file, "not an absolute path");
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0)
    refuse(file, "cannot be looked at: " + std::generic_category().message(errno));
  if (!S_ISREG(facts.st_mode) && !S_ISBLK(facts.st_mode))
    refuse(file, "neither a file nor a block device");
  try {
    const bool is_device = S_ISBLK(facts.st_mode);
    return {is_device ? resolved_device(file) : fs::canonical(file), format, is_device};
  } catch (const std::system_error& e) { // it has gone meanwhile
    refuse(file, e.code().message());
  }
}

std::vector<chain_link> outside_chain(const fs::path& disk, disk_format format) {
  std::vector<chain_link> chain{look_outside(disk, format)};
  while (chain.back().format == disk_format::qcow2) {
    const auto& top = chain.back();
    const auto header = read_header(top);
    if (header.backing.empty())
      break;
    if (chain.size() == max_files)
      refuse(disk, "too many files behind one another");
    auto behind = look_outside(backing_path(top.path, header), format_behind(top, header));
    chain.push_back(std::move(behind));
  }
  return chain;
}

std::uint64_t virtual_size(const chain_link& disk) try {
  if (disk.format == disk_format::qcow2)
    return read_header(disk).size;
  if (disk.is_device)
    return device_size(disk);
  std::error_code none;
  const auto size = fs::file_size(disk.path, none);
  return none ? 0 : size;
} catch (const disk_refused&) {
  return 0;
}

} // namespace mistify::images
