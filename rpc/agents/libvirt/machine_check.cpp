#include "rpc/agents/libvirt/machine_check.hpp"

#include "rpc/agents/libvirt/domain_parts.hpp"
#include "rpc/agents/libvirt/recorded_disks.hpp"
#include "rpc/model/cloud_init.hpp"

#include <stdexcept>
#include <string_view>

namespace mistify::agents {

namespace {

using pugi::xml_node;

std::string value(xml_node of, const char* attribute) {
  return of.attribute(attribute).value();
}

bool is(xml_node of, const char* attribute, std::string_view expected) {
  return of.attribute(attribute).value() == expected;
}

bool is_seed_of(xml_node disk, const std::string& guest, const disk_places& places) {
  return is_seed(disk) && is(disk, "type", "file") && places.is_seed(value(disk.child("source"), "file"), guest);
}

/// Where files may lie for one guest.
struct allowed_files {
  const disk_places& places;
  const adoption* adopted;

  /// `format` is what the domain's XML says.
  placed_disk find(const std::string& path, const std::string& format, const std::string& guest,
                   const std::string& field) const {
    if (adopted)
      if (auto recorded = find_recorded(*adopted, path, format, field))
        return *std::move(recorded);
    return places.find(path, guest, field);
  }
};

void check_disk(xml_node disk, const std::string& field, const std::string& guest, const allowed_files& files,
                checked_machine& to) {
  const auto source = disk.child("source");
  if (!source)
    return; // an empty drive
  if (!is(disk, "type", "file") && !is(disk, "type", "block"))
    throw std::invalid_argument{field + ": is neither a file nor a block device"};
  const auto path = value(source, is(disk, "type", "block") ? "dev" : "file");
  const auto found = files.find(path, value(disk.child("driver"), "type"), guest, field);
  if (!is(disk.child("driver"), "type", found.format()) || (found.read_only && !disk.child("readonly")))
    to.is_reformatted = true;
  write_disk(disk, found, value(disk.child("target"), "bus"));
  if (found.is_shared || (found.is_outside && is_written_alone(disk)))
    to.shared_disks.push_back(found.chain.front().path);
}

/// Of a guest with `cloud_init` the seed is attached. A machine that was made with one does not boot without: cloud-init
/// would take it for a new instance. Another file in its place is checked as a disk is.
void check_seed(xml_node devices, const rpc::guest& g, const disk_places& places) {
  const auto seed = rpc::has_cloud_init(g) ? places.find_seed(g.id) : std::nullopt;
  bool is_attached = false;
  for (auto disk = devices.child("disk"); disk;) {
    const auto next = disk.next_sibling("disk");
    if (is_seed_of(disk, g.id, places)) {
      if (!seed && rpc::has_cloud_init(g))
        throw std::runtime_error{"the guest's seed is gone: " + value(disk.child("source"), "file")};
      if (!seed || is_attached)
        devices.remove_child(disk);
      else
        write_disk(disk, *seed, "virtio");
      is_attached = seed.has_value();
    }
    disk = next;
  }
  if (seed && !is_attached)
    append_seed(devices, *seed);
}

void check_kernel(xml_node os, const char* element, const std::string& field, const allowed_files& files) {
  auto file = os.child(element);
  if (file && !(files.adopted && is_recorded_boot_file(*files.adopted, file.text().get())))
    file.text() = files.places.find_media(file.text().get(), field).c_str();
}

void check_nics(xml_node devices, const machine_rules& rules) {
  std::size_t i = 0;
  for (const auto& interface : devices.children("interface")) {
    if (is(interface, "type", "user") && !rules.user_network)
      throw std::invalid_argument{"nics[" + std::to_string(i) + "].network: " + no_user_network};
    ++i;
  }
}

/// Displays at a socket of the file system, or at none, are behind its rights.
bool is_on_tcp(xml_node graphics) {
  return graphics.attribute("port") || graphics.attribute("autoport") || graphics.attribute("tlsPort") ||
         graphics.attribute("websocket");
}

bool is_guarded(xml_node graphics, const port_range& ports) {
  return is(graphics, "type", "vnc") && graphics.attribute("passwd") && !value(graphics, "passwd").empty() &&
         !graphics.attribute("websocket") && ports.holds(graphics.attribute("port").as_llong());
}

void remove_displays(xml_node devices, const port_range& ports, checked_machine& to) {
  for (auto graphics = devices.child("graphics"); graphics;) {
    const auto next = graphics.next_sibling("graphics");
    if (is_on_tcp(graphics)) {
      to.lost_vnc = true;
      to.was_open = to.was_open || !is_guarded(graphics, ports);
      devices.remove_child(graphics);
    }
    graphics = next;
  }
}

bool wants_vnc(const rpc::guest& g, const port_range& ports) {
  return ports.holds(g.vnc) && !vnc_password(g).empty();
}

/// A display that stays would keep a password that the guest has no more.
void check_displays(xml_node devices, const rpc::guest& g, const port_range& ports, checked_machine& to) {
  remove_displays(devices, ports, to);
  if (!wants_vnc(g, ports))
    return;
  append_vnc(devices, g.vnc, vnc_password(g));
  to.lost_vnc = false;
}

} // namespace

checked_machine check_machine(const std::string& xml, const rpc::guest& g, const machine_rules& rules,
                              const adoption* adopted) {
  pugi::xml_document document;
  if (!document.load_string(xml.c_str()))
    throw std::runtime_error{"libvirt's description of the domain cannot be read"};
  const auto before = text_of(document);
  const auto domain = document.child("domain");
  const auto devices = domain.child("devices");
  const allowed_files files{rules.places, adopted};
  checked_machine checked;
  check_seed(devices, g, rules.places);
  for (const auto& disk : devices.children("disk"))
    if (!is_seed_of(disk, g.id, rules.places))
      check_disk(disk, "disk " + value(disk.child("target"), "dev"), g.id, files, checked);
  check_nics(devices, rules);
  check_kernel(domain.child("os"), "kernel", "metadata.boot.kernel", files);
  check_kernel(domain.child("os"), "initrd", "metadata.boot.initrd", files);
  if (!adopted || wants_vnc(g, rules.vnc_ports))
    check_displays(devices, g, rules.vnc_ports, checked);
  checked.xml = text_of(document);
  checked.is_changed = checked.xml != before;
  return checked;
}

} // namespace mistify::agents
