#pragma once

#include "rpc/model/model.hpp"

#include <string>

namespace mistify::http {

/// A guest as clients see it: its JSON text without the metadata that can only be written, such as the password of its
/// VNC. Every answer with a guest or its metadata passes through here; sub-agents get the whole guest. Any thread.
std::string public_guest(std::string doc);

/// The same for a guest's metadata alone.
rpc::metadata_map public_metadata(rpc::metadata_map metadata);

} // namespace mistify::http
