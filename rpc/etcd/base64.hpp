#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Base64 as RFC 4648, 4, with padding: how etcd's JSON carries keys and values.
namespace mistify::rpc::etcd {

std::string to_base64(std::string_view bytes);

/// Returns the bytes; null for text that is not base64.
std::optional<std::string> from_base64(std::string_view text);

} // namespace mistify::rpc::etcd
