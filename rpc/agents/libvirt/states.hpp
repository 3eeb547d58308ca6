#pragma once

#include "rpc/agents/libvirt/domain_notes.hpp"

#include <libvirt/libvirt.h>

#include <string>
#include <vector>

namespace mistify::agents {

/// What a domain does at this moment. Throws `hypervisor_error`.
virDomainState state_of(virDomainPtr d);

/// Whether it runs, in whatever state. Throws likewise.
bool is_on(virDomainPtr d);

/// The state as guests carry it: unknown running blocked paused shutdown crashed suspended shutoff. A domain that is off
/// because it crashed is `crashed`. Throws `hypervisor_error`.
std::string state_name(virDomainPtr d);

/// Why it is in that state, as guests carry it: user shutdown crashed panic killed hibernated migrating
/// io-error:ENOSPC:vda and so on; empty where there is nothing to say. Throws `hypervisor_error`.
std::string state_reason(virDomainPtr d, const domain_notes& notes);

/// Notes, in a domain that is on, that its guest was suspended after something else had paused it, or that it was not.
/// The note is gone when the domain goes off. Throws `hypervisor_error`.
void note_suspended(virDomainPtr d, bool suspended);

/// Lets a paused domain go on, and notes that it is not suspended. Throws likewise.
void go_on(virDomainPtr d);

/// The devices of disks on which a domain that is paused by an I/O error found no space; none if it is suspended as well.
std::vector<std::string> full_disks(virDomainPtr d);

} // namespace mistify::agents
