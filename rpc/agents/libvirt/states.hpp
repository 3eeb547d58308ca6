#pragma once

#include "rpc/agents/libvirt/domain_notes.hpp"

#include <libvirt/libvirt.h>

#include <string>
#include <vector>

namespace mistify::agents {

/// What a domain does at this moment. Throws `hypervisor_error`.
virDomainState state_of(virDomainPtr d);

/// The state as guests carry it: unknown running blocked paused shutdown crashed suspended shutoff. A domain that is off
/// because it crashed is `crashed`. Throws `hypervisor_error`.
std::string state_name(virDomainPtr d);

/// Why it is in that state, as guests carry it: user shutdown crashed panic killed hibernated migrating
/// io-error:ENOSPC:vda and so on; empty where there is nothing to say. Throws `hypervisor_error`.
std::string state_reason(virDomainPtr d, const domain_notes& notes);

/// The devices of disks on which a domain that is paused by an I/O error found no space.
std::vector<std::string> full_disks(virDomainPtr d);

} // namespace mistify::agents
