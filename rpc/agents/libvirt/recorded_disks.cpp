#include "rpc/agents/libvirt/recorded_disks.hpp"

#include "rpc/images/outside_chain.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace mistify::agents {

namespace {

using images::chain_link;

/// Where a path leads; empty if it leads nowhere.
std::filesystem::path look(const std::string& path) {
  try {
    return images::look_outside(path, images::disk_format::raw).path;
  } catch (const images::disk_refused&) {
    return {};
  }
}

std::string_view name_of(images::disk_format format) {
  return format == images::disk_format::qcow2 ? "qcow2" : "raw";
}

bool same(const chain_link& a, const chain_link& b) {
  return a.path == b.path && a.format == b.format && a.is_device == b.is_device;
}

recorded_disk files_of(const recorded_disk& recorded, const std::string& field) {
  try {
    return images::outside_chain(recorded.front().path, recorded.front().format);
  } catch (const images::disk_refused& e) {
    throw std::invalid_argument{field + ": " + e.what()};
  }
}

} // namespace

std::optional<placed_disk> find_recorded(const adoption& by, const std::string& path, const std::string& format,
                                         const std::string& field) {
  const auto file = look(path);
  const auto found = std::ranges::find_if(by.disks, [&](const recorded_disk& one) { return one.front().path == file; });
  if (file.empty() || found == by.disks.end())
    return std::nullopt;
  if ((format.empty() ? "raw" : format) != name_of(found->front().format))
    throw std::invalid_argument{field + ": its format has changed since it was adopted; adopt the domain again"};
  const auto now = files_of(*found, field);
  if (!std::ranges::equal(now, *found, same))
    throw std::invalid_argument{field + ": other files are behind it than when the guest was adopted"};
  placed_disk placed{now};
  placed.is_outside = true;
  return placed;
}

bool is_recorded_boot_file(const adoption& by, const std::string& path) {
  const auto file = look(path);
  return !file.empty() && std::ranges::find(by.boot_files, file.string()) != by.boot_files.end();
}

} // namespace mistify::agents
