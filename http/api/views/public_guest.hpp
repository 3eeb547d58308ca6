#pragma once

#include "rpc/model/model.hpp"

#include <string>
#include <string_view>

namespace mistify::http {

/// Returns a guest's JSON text without what is write-only, such as its VNC password and cloud-init's user data. Every
/// response with a guest or its metadata uses it; sub-agents get the whole guest. Thread-safe.
std::string public_guest(std::string doc);

/// False only if `public_guest` returns the text as it is.
bool mentions_secrets(std::string_view doc) noexcept;

/// The same for a guest's metadata alone.
rpc::metadata_map public_metadata(rpc::metadata_map metadata);

} // namespace mistify::http
