#include "rpc/agents/libvirt/host.hpp"

#include "rpc/agents/libvirt/handles.hpp"

#include <filesystem>
#include <fstream>
#include <pugixml.hpp>
#include <sstream>
#include <stdexcept>

namespace mistify::agents {

namespace {

namespace fs = std::filesystem;

network_kind kind_on(virConnectPtr c, const std::string& network) {
  if (network.empty())
    return network_kind::user;
  if (network_ptr{virNetworkLookupByName(c, network.c_str())})
    return network_kind::libvirt;
  // An interface that is no bridge of the kernel can be one of Open vSwitch only. What is not there at all is left to
  // libvirt to complain about.
  std::error_code ignored;
  const auto interface = fs::path{"/sys/class/net"} / network;
  if (network.find('/') == network.npos && fs::exists(interface, ignored) && !fs::exists(interface / "bridge", ignored))
    return network_kind::open_vswitch;
  return network_kind::bridge;
}

std::string text_of(const char* path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

} // namespace

bool runs_machines(const std::string& cpuinfo) {
  const auto at = cpuinfo.find("\nflags");
  if (at == std::string::npos)
    return true; // no PC, and other architectures do not tell
  std::istringstream flags{cpuinfo.substr(at + 1, cpuinfo.find('\n', at + 1) - at)};
  for (std::string flag; flags >> flag;)
    if (flag == "vmx" || flag == "svm")
      return true;
  return false;
}

host_facts read_capabilities(const std::string& xml, bool with_kvm) {
  pugi::xml_document document;
  document.load_string(xml.c_str());
  const auto root = document.child("capabilities");
  host_facts facts;
  facts.arch = root.child("host").child("cpu").child_value("arch");
  for (const auto& guest : root.children("guest")) {
    const auto arch = guest.child("arch");
    if (guest.child_value("os_type") != std::string_view{"hvm"} || arch.attribute("name").value() != facts.arch)
      continue;
    const auto kvm = arch.find_child_by_attribute("domain", "type", "kvm");
    facts.type = (kvm && with_kvm ? kvm : arch.child("domain")).attribute("type").value();
    return facts;
  }
  throw std::runtime_error{"the hypervisor runs no machines of its own architecture (" + facts.arch + ")"};
}

host_facts look_at_host(virConnectPtr c) {
  const text_ptr capabilities{must(virConnectGetCapabilities(c))};
  auto facts = read_capabilities(capabilities.get(), runs_machines(text_of("/proc/cpuinfo")));
  facts.kind_of = [c](const std::string& network) { return kind_on(c, network); };
  return facts;
}

host_facts with_wish(host_facts host, const rpc::metadata_map& args) {
  const auto wish = args.find("domain");
  if (wish == args.end() || host.type == "test")
    return host;
  if (wish->second != "kvm" && wish->second != "qemu")
    throw std::invalid_argument{"args.domain: must be kvm or qemu"};
  host.type = wish->second;
  return host;
}

} // namespace mistify::agents
