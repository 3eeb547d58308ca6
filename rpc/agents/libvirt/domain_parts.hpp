#pragma once

#include "rpc/agents/libvirt/disk_places.hpp"

#include <pugixml.hpp>
#include <string>

/// Parts of a domain's XML that are written when it is built and again before each start.
namespace mistify::agents {

/// Writes what QEMU opens for a disk: type, source, format, whether it is read-only, and the files behind it, the last of
/// which has nothing behind it. What stood there of these is replaced. Files of a store keep their owner; of others it is
/// libvirt's to say.
void write_disk(pugi::xml_node disk, const placed_disk& what, const std::string& bus);

/// Appends the disk with a guest's seed behind all others. It is known by its serial number.
void append_seed(pugi::xml_node devices, const placed_disk& seed);
bool is_seed(pugi::xml_node disk);

/// True if the machine does not write to the disk.
bool is_read_only(pugi::xml_node disk);

/// True if the machine writes to the disk, and no other machine is meant to have it.
bool is_written_alone(pugi::xml_node disk);

/// Returns the network interface with that MAC address, in either case of its letters; null if there is none.
pugi::xml_node nic_with(pugi::xml_node devices, const std::string& mac);

/// Appends a VNC display on loopback.
void append_vnc(pugi::xml_node devices, std::int64_t port, const std::string& password);

std::string text_of(const pugi::xml_document& document);

} // namespace mistify::agents
