#pragma once

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/agents/libvirt/machine_rules.hpp"
#include "rpc/model/model.hpp"

#include <string>
#include <vector>

namespace mistify::agents {

/// What an adoption makes of a domain: the mark, and the guest's members that the machine says.
struct adoption_plan {
  adoption mark;
  rpc::guest guest;                        ///< type, memory, cpu, disks and nics; the domain's name as `name`
  std::vector<std::string> own_paths = {}; ///< files that no other domain may have: disks that it writes to alone
};

/// Reads the definition of a domain, and looks at the files that it names. A disk in a store has to be a volume that the
/// guest may have; of others the files are recorded. `running_xml` is the machine that runs, empty for one that is off:
/// it says the names of the nics' devices, and must have no other disks. Both are hostile input. Throws
/// std::invalid_argument that names what cannot be in a guest: disks and nics of other kinds, texts with control
/// characters, a disk that is another guest's.
adoption_plan plan_adoption(const std::string& id, const std::string& defined_xml, const std::string& running_xml,
                            const machine_rules& rules);

} // namespace mistify::agents
