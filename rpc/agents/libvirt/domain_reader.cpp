#include "rpc/agents/libvirt/domain_reader.hpp"

#include "rpc/agents/libvirt/domain_parts.hpp"

#include <algorithm>
#include <pugixml.hpp>
#include <strings.h>

namespace mistify::agents {

namespace {

using pugi::xml_node;

std::string value(xml_node of, const char* attribute) {
  return of.attribute(attribute).value();
}

/// A source has one attribute that names it, and which one is told by the kind of the device.
std::string source_of(xml_node device, std::initializer_list<const char*> names) {
  const auto source = device.child("source");
  for (const auto* name : names)
    if (const auto found = source.attribute(name))
      return found.value();
  return {};
}

std::uint64_t kibibytes(xml_node memory) {
  const auto number = memory.text().as_ullong();
  return value(memory, "unit") == "MiB" ? number * 1024 : number;
}

disk_shape read_disk(xml_node disk) {
  const auto target = disk.child("target");
  return {value(target, "dev"), value(target, "bus"), source_of(disk, {"file", "dev"}),
          value(disk.child("driver"), "type")};
}

nic_shape read_nic(xml_node interface) {
  nic_shape nic{.kind = value(interface, "type"),
                .source = source_of(interface, {"network", "bridge"}),
                .model = value(interface.child("model"), "type"),
                .mac = value(interface.child("mac"), "address"),
                .device = value(interface.child("target"), "dev"),
                .vlans = {}};
  for (const auto& tag : interface.child("vlan").children("tag"))
    nic.vlans.push_back(tag.attribute("id").as_llong());
  return nic;
}

bool same(const disk_shape& a, const disk_shape& b) {
  return a.device == b.device && a.bus == b.bus && a.source == b.source && a.format == b.format;
}

bool fits(const nic_shape& asked, const nic_shape& there) {
  return asked.kind == there.kind && asked.source == there.source && asked.model == there.model &&
         asked.vlans == there.vlans && (asked.mac.empty() || strcasecmp(asked.mac.c_str(), there.mac.c_str()) == 0);
}

} // namespace

domain_shape read_domain(const std::string& xml) {
  pugi::xml_document document;
  document.load_string(xml.c_str());
  const auto domain = document.child("domain");
  const auto os = domain.child("os");
  const auto devices = domain.child("devices");
  domain_shape shape{.memory = kibibytes(domain.child("memory")),
                     .cpus = domain.child("vcpu").text().as_ullong(),
                     .kernel = os.child_value("kernel"),
                     .initrd = os.child_value("initrd"),
                     .cmdline = os.child_value("cmdline"),
                     .disks = {},
                     .nics = {}};
  for (const auto& disk : devices.children("disk"))
    if (!is_seed(disk))
      shape.disks.push_back(read_disk(disk));
  std::sort(shape.disks.begin(), shape.disks.end(), [](const auto& a, const auto& b) { return a.device < b.device; });
  for (const auto& interface : devices.children("interface"))
    shape.nics.push_back(read_nic(interface));
  shape.vnc = devices.find_child_by_attribute("graphics", "type", "vnc").attribute("port").as_llong();
  return shape;
}

std::string difference(const domain_shape& a, const domain_shape& t) {
  if (a.memory != t.memory)
    return "memory";
  if (a.cpus != t.cpus)
    return "cpu";
  if (a.kernel != t.kernel || a.initrd != t.initrd || a.cmdline != t.cmdline)
    return "metadata boot.*";
  if (!std::equal(a.disks.begin(), a.disks.end(), t.disks.begin(), t.disks.end(), same))
    return "disks";
  if (!std::equal(a.nics.begin(), a.nics.end(), t.nics.begin(), t.nics.end(), fits))
    return "nics";
  if (a.vnc != 0 && a.vnc != t.vnc)
    return "vnc";
  return {};
}

void fill_in(rpc::guest& g, const domain_shape& from) {
  if (from.vnc > 0)
    g.vnc = from.vnc;
  for (std::size_t i = 0; i < std::min(g.nics.size(), from.nics.size()); ++i) {
    auto& nic = g.nics[i];
    nic.device = from.nics[i].device;
    if (nic.mac.empty())
      nic.mac = from.nics[i].mac;
  }
}

} // namespace mistify::agents
