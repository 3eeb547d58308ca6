#pragma once

#include <libvirt/libvirt.h>

#include <string>

namespace mistify::agents {

/// What a domain does at this moment. Throws `hypervisor_error`.
virDomainState state_of(virDomainPtr d);

/// The state as guests carry it: unknown running blocked paused shutdown crashed suspended shutoff. A domain that is off
/// because it crashed is `crashed`. Throws `hypervisor_error`.
std::string state_name(virDomainPtr d);

} // namespace mistify::agents
