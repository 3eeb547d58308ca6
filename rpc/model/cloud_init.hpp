#pragma once

#include "rpc/model/model.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::rpc {

/// The member `cloud_init` of a guest: what its first boot is told.
struct cloud_init {
  std::string user_data;                     ///< never shown to clients
  std::optional<std::string> network_config; ///< text; unset: made from the guest's nics
  std::vector<std::string> ssh_keys;
  std::string hostname;
};

inline constexpr std::string_view cloud_init_member = "cloud_init";

/// Bytes of `user_data`, and of `network_config`.
inline constexpr std::size_t longest_user_data = 32 * 1024;

bool has_cloud_init(const guest& of) noexcept;

/// Returns the member of a guest; null if it has none. Throws `failure{invalid_request}` that names the member that is
/// unknown or wrong, and never quotes its value.
std::optional<cloud_init> cloud_init_of(const guest& of);

/// Takes `user_data` out of a guest's member, whatever the member is.
void hide_user_data(guest& of);

} // namespace mistify::rpc
