#include "rpc/agents/libvirt/claims.hpp"

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"

#include <algorithm>
#include <libvirt/virterror.h>
#include <set>
#include <stdexcept>
#include <strings.h>

namespace mistify::agents {

namespace {

/// Calls `look` with the name and the shape of each other domain. One that goes meanwhile is passed over.
template <class Look>
void each_other(virConnectPtr c, const std::string& guest, unsigned flags, among which, Look look) {
  for (const auto& domain : all_domains(c)) {
    const std::string name = virDomainGetName(domain.get());
    if (strcasecmp(uuid_of(domain.get()).c_str(), guest.c_str()) == 0 ||
        (which == among::running && virDomainIsActive(domain.get()) != 1))
      continue;
    const text_ptr xml{virDomainGetXMLDesc(domain.get(), flags)};
    if (xml)
      look(domain.get(), name, read_domain(xml.get()));
  }
}

bool has(const domain_shape& shape, const std::string& path) {
  return std::ranges::any_of(shape.disks, [&](const disk_shape& disk) { return disk.source == path; });
}

} // namespace

void expect_free_disk(virConnectPtr c, const std::string& path, const std::string& guest, among which) {
  each_other(c, guest, 0, which, [&](virDomainPtr, const std::string& name, const domain_shape& shape) {
    if (has(shape, path))
      throw std::runtime_error{"in use by " + name + ": " + path};
  });
}

void expect_free_vnc_port(virConnectPtr c, std::int64_t port, const std::string& guest, among which) {
  each_other(c, guest, 0, which, [&](virDomainPtr, const std::string& name, const domain_shape& shape) {
    if (shape.vnc == port)
      throw std::runtime_error{"vnc: port " + std::to_string(port) + " is taken by " + name};
  });
}

std::int64_t free_vnc_port(virConnectPtr c, const port_range& ports, const std::string& guest, std::int64_t preferred) {
  std::set<std::int64_t> taken;
  each_other(c, guest, VIR_DOMAIN_XML_INACTIVE, among::all,
             [&](virDomainPtr, const std::string&, const domain_shape& shape) { taken.insert(shape.vnc); });
  if (ports.holds(preferred) && !taken.contains(preferred))
    return preferred;
  for (auto port = ports.first; port <= ports.last; ++port)
    if (!taken.contains(port))
      return port;
  throw std::runtime_error{"vnc: all ports of " + ports.text() + " are taken"};
}

} // namespace mistify::agents
