#pragma once

#include <string>
#include <vector>

namespace mistify::agents {

/// A member of the guest that its machine has otherwise than it will have after its next start. The values are JSON texts;
/// "null" for what is not there.
struct pending_change {
  std::string member, now, next;
};

/// Compares a machine that runs with what is defined: memory in MB, cpu, disks by device ("disks.vdb": its size is not
/// told), nics by mac ("nics.52:54:00:…"). Both are libvirt's XML.
std::vector<pending_change> find_pending(const std::string& running_xml, const std::string& defined_xml);

/// The result of `Libvirt.Pending`: an array.
struct pending_list {
  std::vector<pending_change> changes;
};
std::string encode(const pending_list& value);

} // namespace mistify::agents
