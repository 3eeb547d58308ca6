#pragma once

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/agents/libvirt/machine_rules.hpp"
#include "rpc/model/model.hpp"

#include <string>
#include <vector>

namespace mistify::agents {

/// A machine as it may start.
struct checked_machine {
  std::string xml;
  bool is_changed = false;                    ///< the XML is not what was checked
  bool is_reformatted = false;                ///< a disk was of another format, or might be written to
  bool lost_vnc = false;                      ///< it had a display, and `g` asks for none
  bool was_open = false;                      ///< it had a display that anybody on this host could use
  std::vector<std::string> shared_disks = {}; ///< paths of disks that other machines may name too
};

/// Brings a domain's XML, as libvirt keeps it, in line with the rules and with what lies in the store now: each disk gets
/// the format of its place and the files behind it, so that QEMU probes nothing; VNC is as `g` asks for, or gone. Throws
/// std::invalid_argument where a disk, a kernel or a nic must not be.
///
/// `adopted` is the record of a domain that was there before its guest, else null. Its recorded files may lie outside of
/// the stores. Its displays stay as its administrator made them, until the guest asks for VNC with a password.
checked_machine check_machine(const std::string& xml, const rpc::guest& g, const machine_rules& rules,
                              const adoption* adopted = nullptr);

} // namespace mistify::agents
