#include "rpc/agents/libvirt/adoption_plan.hpp"

#include "rpc/agents/libvirt/domain_parts.hpp"
#include "rpc/agents/libvirt/guest_text.hpp"
#include "rpc/agents/libvirt/machine_size.hpp"
#include "rpc/base/json.hpp"
#include "rpc/images/outside_chain.hpp"

#include <algorithm>
#include <pugixml.hpp>
#include <set>
#include <stdexcept>
#include <string_view>

namespace mistify::agents {

namespace {

using images::disk_format;
using pugi::xml_node;

constexpr std::uint64_t bytes_in_mb = 1024 * 1024;

/// More devices of a kind than that are in no machine.
constexpr std::size_t most_devices = 256;

std::string value(xml_node of, const char* attribute) {
  return of.attribute(attribute).value();
}

bool is(xml_node of, const char* attribute, std::string_view expected) {
  return of.attribute(attribute).value() == expected;
}

[[noreturn]] void refuse(const std::string& what, const std::string& reason) {
  throw std::invalid_argument{what + ": " + reason};
}

std::string quoted(const std::string& text) {
  return std::move(rpc::json::writer{}.value(text)).str();
}

void expect_few(std::size_t count, const char* kind) {
  if (count > most_devices)
    refuse(kind, "more than " + std::to_string(most_devices));
}

// -- disks -----------------------------------------------------------------------------------------------------------

/// libvirt takes a disk without a format for raw, and never probes.
disk_format format_of(xml_node disk, const std::string& what) {
  const auto format = value(disk.child("driver"), "type");
  if (format.empty() || format == "raw")
    return disk_format::raw;
  if (format != "qcow2")
    refuse(what, "is of the format " + format + "; qcow2 and raw are supported");
  return disk_format::qcow2;
}

recorded_disk look_at(const std::string& path, disk_format format, const std::string& what, const disk_places& places) {
  try {
    auto files = images::outside_chain(path, format);
    for (const auto& file : files)
      if (places.is_in_store(file.path))
        refuse(what, "stands on a file of the store: " + file.path.string());
    return files;
  } catch (const images::disk_refused& e) {
    refuse(what, e.what());
  }
}

std::string path_of(xml_node disk, const std::string& what) {
  const auto source = disk.child("source");
  if (is(disk, "type", "file"))
    return value(source, "file");
  if (is(disk, "type", "block"))
    return value(source, "dev");
  refuse(what, "is neither a file nor a block device");
}

void read_disk(xml_node disk, const machine_rules& rules, adoption_plan& to) {
  const auto device = value(disk.child("target"), "dev");
  const auto what = "disk " + device;
  if (!disk.child("source"))
    return; // an empty drive
  const auto path = path_of(disk, what);
  rpc::disk made;
  made.device = device;
  made.bus = value(disk.child("target"), "bus");
  made.source = path;
  recorded_disk files;
  if (rules.places.is_in_store(path)) {
    auto placed = rules.places.find(path, to.mark.id, what);
    made.volume = placed.volume;
    files = std::move(placed.chain);
  } else {
    files = look_at(path, format_of(disk, what), what, rules.places);
    to.mark.disks.push_back(files);
  }
  made.extra["format"] = files.front().format == disk_format::qcow2 ? R"("qcow2")" : R"("raw")";
  made.size = (images::virtual_size(files.front()) + bytes_in_mb - 1) / bytes_in_mb;
  if (is_read_only(disk))
    made.extra["read_only"] = "true";
  if (is_written_alone(disk))
    to.own_paths.push_back(path);
  to.guest.disks.push_back(std::move(made));
}

/// What is defined is recorded; a machine that runs with another disk would lose that, or be another machine, at its next
/// start.
void expect_defined_disks(xml_node devices, xml_node running) {
  std::set<std::string> defined;
  for (const auto& disk : devices.children("disk"))
    if (disk.child("source"))
      defined.insert(path_of(disk, "disk " + value(disk.child("target"), "dev")));
  for (const auto& disk : running.children("disk")) {
    const auto what = "disk " + value(disk.child("target"), "dev");
    if (disk.child("source") && !defined.contains(path_of(disk, what)))
      refuse(what, "the machine runs with it, and its definition does not have it: " + path_of(disk, what));
  }
}

void add_boot_file(xml_node os, const char* element, adoption_plan& to) {
  const std::string path = os.child_value(element);
  if (path.empty())
    return;
  try {
    to.mark.boot_files.push_back(images::look_outside(path, disk_format::raw).path);
  } catch (const images::disk_refused& e) {
    refuse(element, e.what());
  }
}

// -- nics ------------------------------------------------------------------------------------------------------------

std::string network_of(xml_node interface) {
  const auto source = interface.child("source");
  for (const auto* name : {"network", "bridge", "dev"})
    if (const auto found = source.attribute(name))
      return found.value();
  return {};
}

void read_nic(xml_node interface, xml_node running, const machine_rules& rules, adoption_plan& to) {
  const auto number = std::to_string(to.guest.nics.size());
  if (is(interface, "type", "user") && !rules.user_network)
    refuse("nics[" + number + "].network", no_user_network);
  rpc::nic made;
  made.name = "net" + number;
  made.network = network_of(interface);
  made.model = value(interface.child("model"), "type");
  made.mac = value(interface.child("mac"), "address");
  made.device = value(nic_with(running, made.mac).child("target"), "dev");
  if (const auto vlan = interface.child("vlan"))
    for (const auto& tag : vlan.children("tag")) {
      if (!made.vlans)
        made.vlans.emplace();
      made.vlans->push_back(tag.attribute("id").as_llong());
    }
  to.guest.nics.push_back(std::move(made));
}

// -- the machine -----------------------------------------------------------------------------------------------------

void read_devices(xml_node devices, xml_node running, const machine_rules& rules, adoption_plan& to) {
  for (const auto& disk : devices.children("disk")) {
    read_disk(disk, rules, to);
    expect_few(to.guest.disks.size(), "disks");
  }
  expect_defined_disks(devices, running);
  for (const auto& interface : devices.children("interface")) {
    read_nic(interface, running, rules, to);
    expect_few(to.guest.nics.size(), "nics");
  }
}

} // namespace

adoption_plan plan_adoption(const std::string& id, const std::string& defined_xml, const std::string& running_xml,
                            const machine_rules& rules) {
  pugi::xml_document defined, running;
  if (!defined.load_string(defined_xml.c_str()) || (!running_xml.empty() && !running.load_string(running_xml.c_str())))
    throw std::invalid_argument{"libvirt's description of the domain cannot be read"};
  const auto domain = defined.child("domain");
  adoption_plan plan{.mark = {.id = id}, .guest = {}};
  auto& g = plan.guest;
  g.id = id;
  g.memory = memory_of(domain);
  g.cpu = processors_of(domain);
  if (g.memory == 0)
    refuse("memory", "is less than 1 MB");
  g.extra = {{"name", quoted(domain.child_value("name"))}, {"adopted", "true"}};
  read_devices(domain.child("devices"), running.child("domain").child("devices"), rules, plan);
  for (const auto* element : {"kernel", "initrd"})
    add_boot_file(domain.child("os"), element, plan);
  expect_plain_text(g);
  return plan;
}

} // namespace mistify::agents
