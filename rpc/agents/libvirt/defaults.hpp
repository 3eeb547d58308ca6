#pragma once

#include "rpc/model/model.hpp"

namespace mistify::agents {

/// Settles what a client may leave open about a machine, before its domain is built: disks get a bus (virtio), a device
/// (the next free one of the bus: vda, sda, hda) and, where only the volume is known, its zvol as source; nics get a model
/// (virtio) and a name (net0, net1: the next
/// one that no nic of the guest has). What is set stays. Throws std::invalid_argument that names the field where a disk has
/// neither source nor volume.
void settle_defaults(rpc::guest& g);

} // namespace mistify::agents
