#include "rpc/images/backing_chain.hpp"

#include <optional>
#include <string>
#include <system_error>

namespace mistify::images {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_files = 128; // of a chain

[[noreturn]] void refuse(const fs::path& file, const std::string& reason) {
  throw disk_refused{file.filename().string() + ": " + reason};
}

qcow2_header header_of(const disk_file& file) {
  std::optional<qcow2_header> header;
  try {
    header = read_qcow2(file.fd.get());
  } catch (const std::exception& e) {
    refuse(file.path, e.what());
  }
  if (!header)
    refuse(file.path, "not a qcow2 file");
  if (header->external_data || !header->data_file.empty())
    refuse(file.path, "keeps its data in another file");
  return *header;
}

/// Checks that the header and the store agree on the format of the backing file, and returns it.
disk_format format_behind(const disk_file& top, const qcow2_header& header, const disk_file& behind) {
  const auto format = format_in_store(behind);
  if (header.backing_format != (format == disk_format::qcow2 ? "qcow2" : "raw"))
    refuse(top.path, header.backing_format.empty() ? "does not say which format is behind it"
                                                   : "says that what is behind it is of another format than it is");
  return format;
}

disk_file open_behind(const disk_file& top, const qcow2_header& header, const std::vector<store_root>& roots) {
  const auto name = backing_path(top.path, header);
  try {
    return open_in_store(name, roots);
  } catch (const disk_refused& e) {
    refuse(top.path, std::string{"stands on "} + e.what());
  }
}

std::vector<chain_link> walk(disk_file file, disk_format format, const std::vector<store_root>& roots) {
  std::vector<chain_link> chain;
  for (;;) {
    chain.push_back({file.path, format, file.is_device});
    if (format == disk_format::raw)
      return chain;
    const auto header = header_of(file);
    if (header.backing.empty())
      return chain;
    if (chain.size() == max_files)
      refuse(chain.front().path, "too many files behind one another");
    auto behind = open_behind(file, header, roots);
    format = format_behind(file, header, behind);
    file = std::move(behind);
  }
}

} // namespace

disk_format format_in_store(const disk_file& file) {
  if (file.is_device)
    return disk_format::raw;
  if (file.path.extension() == ".qcow2")
    return disk_format::qcow2;
  refuse(file.path, "not a disk of the store");
}

bool names_a_protocol(std::string_view name) noexcept {
  const auto at = name.find_first_of(":/"); // as QEMU's path_has_protocol
  return at != name.npos && name[at] == ':';
}

fs::path backing_path(const fs::path& file, const qcow2_header& header) {
  if (!is_plain_text(header.backing) || names_a_protocol(header.backing))
    refuse(file, "what is behind it is no plain file");
  return file.parent_path() / header.backing;
}

std::vector<chain_link> backing_chain(const fs::path& disk, disk_format format, const std::vector<store_root>& roots) {
  return walk(open_in_store(disk, roots), format, roots);
}

std::vector<chain_link> backing_chain(const fs::path& disk, const std::vector<store_root>& roots) {
  auto file = open_in_store(disk, roots);
  const auto format = format_in_store(file);
  return walk(std::move(file), format, roots);
}

} // namespace mistify::images
