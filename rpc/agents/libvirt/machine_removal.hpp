#pragma once

#include "rpc/agents/libvirt/adoption.hpp"

#include <libvirt/libvirt.h>

#include <string>

namespace mistify::agents {

/// Forgets a machine that was made for its guest, with all that libvirt keeps of it. Throws `hypervisor_error`.
void undefine_made(virDomainPtr d);

/// Throws std::runtime_error ("conflict: …") if an adopted machine has what would be lost with it: a saved state,
/// snapshots or checkpoints, which may be of before its adoption.
void expect_no_state(virDomainPtr d);

/// Forgets an adopted machine. What its firmware and its TPM keep is its administrator's, as its disks are. Throws
/// `hypervisor_error`.
void undefine_adopted(virDomainPtr d);

/// The disks outside of the stores that a deleted guest leaves on the host; empty: none.
std::string kept_disks(const adoption& record);

} // namespace mistify::agents
