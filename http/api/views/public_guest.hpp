#pragma once

#include "rpc/model/model.hpp"

#include <string>

namespace mistify::http {

/// Returns a guest's JSON text without write-only metadata, such as its VNC password. Every response with a guest or
/// its metadata uses it; sub-agents get the whole guest. Thread-safe.
std::string public_guest(std::string doc);

/// The same for a guest's metadata alone.
rpc::metadata_map public_metadata(rpc::metadata_map metadata);

} // namespace mistify::http
