#pragma once

#include <libvirt/libvirt.h>

#include <string>

/// The XML of a domain, as libvirt has it. Each throws `hypervisor_error`.
namespace mistify::agents {

/// As it runs; as it is defined if it is off.
std::string current_xml(virDomainPtr d);

/// As it is defined: what it starts with next time.
std::string defined_xml(virDomainPtr d);

/// The same with passwords, which the domain would lose where it is defined again without them.
std::string whole_xml(virDomainPtr d);

} // namespace mistify::agents
