#include "rpc/agents/libvirt/domain_builder.hpp"

#include "rpc/agents/libvirt/domain_parts.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::agents {

namespace {

using pugi::xml_node;

xml_node element(xml_node parent, const char* name, const std::string& text = {}) {
  auto made = parent.append_child(name);
  if (!text.empty())
    made.text() = text.c_str();
  return made;
}

void attribute(xml_node of, const char* name, const std::string& value) {
  of.append_attribute(name) = value.c_str();
}

/// An element with one attribute, which most of libvirt's are.
xml_node element(xml_node parent, const char* name, const char* key, const std::string& value) {
  auto made = parent.append_child(name);
  attribute(made, key, value);
  return made;
}

bool is_x86(const host_facts& host) {
  return host.arch == "x86_64" || host.arch == "i686";
}

std::string metadata_of(const rpc::guest& g, std::string_view key) {
  const auto at = g.metadata.find(key);
  return at == g.metadata.end() ? std::string{} : at->second;
}

// -- the machine -----------------------------------------------------------------------------------------------------

void add_size(xml_node domain, const rpc::guest& g) {
  element(domain, "memory", std::to_string(g.memory)).append_attribute("unit") = "MiB";
  element(domain, "vcpu", std::to_string(std::max<std::uint64_t>(g.cpu, 1)));
}

void add_boot(xml_node domain, const rpc::guest& g, const machine_plan& plan, const host_facts& host) {
  auto os = element(domain, "os");
  attribute(element(os, "type", "hvm"), "arch", host.arch);
  if (plan.kernel.empty()) {
    element(os, "boot", "dev", g.disks.empty() ? "network" : "hd");
    return;
  }
  element(os, "kernel", plan.kernel);
  if (!plan.initrd.empty())
    element(os, "initrd", plan.initrd);
  if (const auto cmdline = metadata_of(g, "boot.cmdline"); !cmdline.empty())
    element(os, "cmdline", cmdline);
}

void add_platform(xml_node domain, const host_facts& host) {
  if (is_x86(host)) {
    auto features = element(domain, "features");
    element(features, "acpi"); // a shutdown is the press of its button
    element(features, "apic");
  }
  if (host.type == "kvm")
    element(domain, "cpu", "mode", "host-passthrough");
  element(domain, "clock", "offset", "utc");
  element(domain, "on_poweroff", "destroy");
  element(domain, "on_reboot", "restart");
  element(domain, "on_crash", "destroy");
}

// -- disks -----------------------------------------------------------------------------------------------------------

void add_disk(xml_node devices, const rpc::disk& d, const placed_disk& what) {
  auto disk = element(devices, "disk", "device", "disk");
  if (!what.read_only)
    attribute(element(disk, "driver"), "discard", "unmap");
  attribute(element(disk, "target", "dev", d.device), "bus", d.bus);
  write_disk(disk, what, d.bus);
}

// -- nics ------------------------------------------------------------------------------------------------------------

void add_vlans(xml_node interface, const std::vector<std::int64_t>& vlans, const std::string& field) {
  auto vlan = element(interface, "vlan");
  if (vlans.size() > 1)
    attribute(vlan, "trunk", "yes");
  for (const auto id : vlans) {
    if (id < 0 || id > 4095)
      throw std::invalid_argument{field + ".vlans: must be between 0 and 4095"};
    element(vlan, "tag", "id", std::to_string(id));
  }
}

void add_source(xml_node interface, const std::string& network, network_kind kind) {
  if (kind == network_kind::user)
    attribute(interface, "type", "user");
  else if (kind == network_kind::libvirt) {
    attribute(interface, "type", "network");
    element(interface, "source", "network", network);
  } else {
    attribute(interface, "type", "bridge");
    element(interface, "source", "bridge", network);
  }
}

void add_nic(xml_node devices, const rpc::nic& n, const host_facts& host, const std::string& field) {
  const auto vlans = n.vlans.value_or(std::vector<std::int64_t>{});
  auto kind = host.kind_of(n.network);
  // Bridges of the kernel know no VLANs by libvirt, so one that is asked for them must be the other kind.
  if (kind == network_kind::bridge && !vlans.empty())
    kind = network_kind::open_vswitch;
  auto interface = element(devices, "interface");
  add_source(interface, n.network, kind);
  if (!n.mac.empty())
    element(interface, "mac", "address", n.mac);
  element(interface, "model", "type", n.model);
  if (kind == network_kind::open_vswitch)
    element(interface, "virtualport", "type", "openvswitch");
  if (!vlans.empty())
    add_vlans(interface, vlans, field);
  if (!n.device.empty())
    element(interface, "target", "dev", n.device);
}

// -- consoles --------------------------------------------------------------------------------------------------------

/// A terminal for `virsh console`, and everything that is said on it in a file.
void add_serial(xml_node devices, const std::string& log) {
  auto serial = element(devices, "serial", "type", "pty");
  attribute(element(serial, "log", "file", log), "append", "on");
  element(serial, "target", "port", "0");
}

void add_helpers(xml_node devices, const host_facts& host) {
  auto rng = element(devices, "rng", "model", "virtio");
  attribute(element(rng, "backend", "/dev/urandom"), "model", "random");
  if (is_x86(host))
    element(devices, "panic", "model", "isa"); // by which a kernel tells that it crashed
}

} // namespace

std::string build_domain_xml(const rpc::guest& g, const machine_plan& plan, const host_facts& host,
                             const std::string& console_log) {
  pugi::xml_document document;
  auto domain = element(document, "domain", "type", host.type);
  element(domain, "name", g.id);
  element(domain, "uuid", g.id);
  add_size(domain, g);
  add_boot(domain, g, plan, host);
  add_platform(domain, host);
  auto devices = element(domain, "devices");
  for (std::size_t i = 0; i < g.disks.size(); ++i)
    add_disk(devices, g.disks[i], plan.disks.at(i));
  if (plan.seed)
    append_seed(devices, *plan.seed);
  for (std::size_t i = 0; i < g.nics.size(); ++i)
    add_nic(devices, g.nics[i], host, "nics[" + std::to_string(i) + "]");
  add_serial(devices, console_log);
  if (plan.vnc_port != 0)
    append_vnc(devices, plan.vnc_port, plan.vnc_password);
  add_helpers(devices, host);
  return text_of(document);
}

std::string build_disk_xml(const rpc::disk& disk, const placed_disk& what) {
  pugi::xml_document document;
  add_disk(document, disk, what);
  return text_of(document);
}

std::string build_nic_xml(const rpc::nic& nic, const host_facts& host, const std::string& field) {
  pugi::xml_document document;
  add_nic(document, nic, host, field);
  return text_of(document);
}

} // namespace mistify::agents
