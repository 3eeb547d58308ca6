#include "rpc/agents/libvirt/defaults.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace mistify::agents {

namespace {

void fill(std::string& field, std::string_view value) {
  if (field.empty())
    field = value;
}

std::string_view prefix_of(std::string_view bus) {
  if (bus == "virtio")
    return "vd";
  return bus == "ide" ? "hd" : "sd";
}

/// 0 → a, 25 → z, 26 → aa, as Linux names disks.
std::string letters(std::size_t number) {
  std::string text;
  for (++number; number > 0; number = (number - 1) / 26)
    text.insert(text.begin(), static_cast<char>('a' + (number - 1) % 26));
  return text;
}

std::string free_device(const rpc::guest& g, std::string_view bus) {
  for (std::size_t i = 0;; ++i) {
    auto device = std::string{prefix_of(bus)} + letters(i);
    if (std::none_of(g.disks.begin(), g.disks.end(), [&](const rpc::disk& d) { return d.device == device; }))
      return device;
  }
}

bool has_nic(const rpc::guest& g, const std::string& name) {
  return std::any_of(g.nics.begin(), g.nics.end(), [&](const rpc::nic& n) { return n.name == name; });
}

std::string free_nic_name(const rpc::guest& g, std::size_t number) {
  for (;; ++number)
    if (auto name = "net" + std::to_string(number); !has_nic(g, name))
      return name;
}

void settle_source(rpc::disk& d, std::size_t index) {
  if (!d.source.empty())
    return;
  if (d.volume.empty())
    throw std::invalid_argument{"disks[" + std::to_string(index) + "]: has neither source nor volume"};
  d.source = "/dev/zvol/" + d.volume;
}

} // namespace

void settle_defaults(rpc::guest& g) {
  for (std::size_t i = 0; i < g.disks.size(); ++i) {
    auto& disk = g.disks[i];
    fill(disk.bus, "virtio");
    if (disk.device.empty())
      disk.device = free_device(g, disk.bus);
    settle_source(disk, i);
  }
  for (std::size_t i = 0; i < g.nics.size(); ++i) {
    fill(g.nics[i].model, "virtio");
    if (g.nics[i].name.empty())
      g.nics[i].name = free_nic_name(g, i);
  }
}

} // namespace mistify::agents
