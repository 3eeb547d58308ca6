#include "rpc/agents/libvirt/domain_parts.hpp"

#include <sstream>
#include <stdexcept>
#include <string_view>
#include <strings.h>

namespace mistify::agents {

namespace {

using pugi::xml_node;

void set(xml_node of, const char* name, const std::string& value) {
  auto attribute = of.attribute(name);
  if (!attribute)
    attribute = of.append_attribute(name);
  attribute = value.c_str();
}

void drop(xml_node from, const char* name) {
  while (from.remove_child(name)) {
  }
}

/// libvirt would make the file QEMU's own while the machine runs, and root's after that. It is mistify-storage's, and
/// QEMU opens it by its group. A label of a single file has no type, so this is `type='none'` for it.
void keep_owner(xml_node source) {
  auto label = source.find_child_by_attribute("seclabel", "model", "dac");
  if (!label)
    label = source.append_child("seclabel");
  drop(label, "label");
  set(label, "model", "dac");
  set(label, "relabel", "no");
}

/// `keeps`: the file's owner is the store's to say.
void point_at(xml_node of, const images::chain_link& file, bool keeps) {
  set(of, "type", file.is_device ? "block" : "file");
  auto source = of.child("source");
  if (!source)
    source = of.append_child("source");
  source.remove_attribute(file.is_device ? "file" : "dev");
  set(source, file.is_device ? "dev" : "file", file.path.string());
  if (keeps)
    keep_owner(source);
}

const char* name_of(images::disk_format format) {
  return format == images::disk_format::qcow2 ? "qcow2" : "raw";
}

void write_behind(xml_node top, const std::vector<images::chain_link>& chain, bool keeps) {
  for (auto file = chain.begin() + 1; file != chain.end(); ++file) {
    top = top.append_child("backingStore");
    set(top, "type", file->is_device ? "block" : "file");
    set(top.append_child("format"), "type", name_of(file->format));
    point_at(top, *file, keeps);
  }
  top.append_child("backingStore");
}

constexpr const char* seed_serial = "mistify-seed";

bool has_device(xml_node devices, const std::string& name) {
  return static_cast<bool>(devices.find_child([&](xml_node disk) {
    return std::string_view{disk.name()} == "disk" && disk.child("target").attribute("dev").value() == name;
  }));
}

/// From the end, so that disks that are attached later find theirs free; then from "vdaa" on.
std::string free_seed_device(xml_node devices) {
  for (char last = 'z'; last >= 'a'; --last)
    if (auto name = std::string{"vd"} + last; !has_device(devices, name))
      return name;
  for (char first = 'a'; first <= 'z'; ++first)
    for (char last = 'a'; last <= 'z'; ++last)
      if (auto name = std::string{"vd"} + first + last; !has_device(devices, name))
        return name;
  throw std::runtime_error{"the machine has no name of a device left for its seed"};
}

/// IDE and SATA have no disks that are read-only.
bool is_cdrom_bus(const std::string& bus) {
  return bus == "ide" || bus == "sata";
}

} // namespace

void write_disk(xml_node disk, const placed_disk& what, const std::string& bus) {
  if (what.read_only && is_cdrom_bus(bus))
    set(disk, "device", "cdrom");
  auto driver = disk.child("driver");
  if (!driver)
    driver = disk.prepend_child("driver");
  set(driver, "name", "qemu");
  set(driver, "type", name_of(what.chain.front().format));
  drop(disk, "backingStore");
  point_at(disk, what.chain.front(), !what.is_outside);
  write_behind(disk, what.chain, !what.is_outside);
  if (what.read_only && !disk.child("readonly"))
    disk.append_child("readonly");
}

bool is_seed(xml_node disk) {
  return std::string_view{disk.child_value("serial")} == seed_serial;
}

bool is_read_only(xml_node disk) {
  return disk.child("readonly") || std::string_view{disk.attribute("device").value()} == "cdrom";
}

bool is_written_alone(xml_node disk) {
  return !is_read_only(disk) && !disk.child("shareable");
}

/// A disk, not a CD: every kind of machine has virtio, and cloud-init looks for the label.
void append_seed(xml_node devices, const placed_disk& seed) {
  auto last = devices.find_child([](xml_node child) {
    return std::string_view{child.name()} != "emulator" && std::string_view{child.name()} != "disk";
  });
  const auto device = free_seed_device(devices);
  auto disk = last ? devices.insert_child_before("disk", last) : devices.append_child("disk");
  set(disk, "device", "disk");
  auto target = disk.append_child("target");
  set(target, "dev", device);
  set(target, "bus", "virtio");
  disk.append_child("serial").text() = seed_serial;
  write_disk(disk, seed, "virtio");
}

pugi::xml_node nic_with(pugi::xml_node devices, const std::string& mac) {
  for (const auto& nic : devices.children("interface"))
    if (strcasecmp(nic.child("mac").attribute("address").value(), mac.c_str()) == 0)
      return nic;
  return {};
}

void append_vnc(xml_node devices, std::int64_t port, const std::string& password) {
  auto graphics = devices.append_child("graphics");
  set(graphics, "type", "vnc");
  set(graphics, "port", std::to_string(port));
  set(graphics, "autoport", "no");
  set(graphics, "passwd", password);
  auto listen = graphics.append_child("listen");
  set(listen, "type", "address");
  set(listen, "address", "127.0.0.1");
}

std::string text_of(const pugi::xml_document& document) {
  std::ostringstream text;
  document.save(text, "  ", pugi::format_default | pugi::format_no_declaration);
  return text.str();
}

} // namespace mistify::agents
