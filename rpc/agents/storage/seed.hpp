#pragma once

#include "rpc/model/cloud_init.hpp"
#include "rpc/model/model.hpp"

#include <string>

namespace mistify::agents::storage {

/// What the first boot of a guest is told, as cloud-init's NoCloud reads it.
struct seed_files {
  std::string user_data;
  std::string meta_data;      ///< instance-id (the guest's id), local-hostname, public-keys; JSON, which YAML takes
  std::string network_config; ///< empty: none
};

/// Without a network_config of its own one of version 2 is made from the guest's nics: their address with netmask
/// (dotted, hexadecimal, or a length), gateway and mac, and DHCP for a nic without an address. A nic without a mac is
/// given one in `g`, which follows from the guest's id, so that it is known by that. Throws std::invalid_argument that
/// names the nic.
seed_files make_seed_files(rpc::guest& g, const rpc::cloud_init& from);

/// An ISO 9660 image of the files, with the label `cidata`. libarchive keeps their contents in a file without a name of
/// the folder TMPDIR meanwhile. Throws std::runtime_error.
std::string build_seed(const seed_files& files);

} // namespace mistify::agents::storage
