#pragma once

#include "rpc/model/model.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mistify::rpc {

/// What becomes of a guest when the host has booted: as it was wished last, started, or left off.
enum class boot_policy : std::uint8_t { last, on, off };

/// When the agent starts a guest that went off without a wish.
enum class restart_policy : std::uint8_t { never, on_crash, always };

/// The member `power` of a guest, with its defaults.
struct power_rules {
  boot_policy boot = boot_policy::last;
  restart_policy restart = restart_policy::never;
  std::size_t max = 5;              ///< restarts within `within`, then the guest stays as it is
  std::chrono::seconds within{600}; ///< at least 1
  std::int64_t order = 0;           ///< at a boot guests start by it, the lowest first
  std::chrono::seconds delay{0};    ///< before its start at a boot
};

/// The `state_reason` of a guest whose machine is gone.
inline constexpr std::string_view missing_machine = "missing";

/// The longest `state_reason`, in bytes; also the longest `state` that a sub-agent may give a guest.
inline constexpr std::size_t longest_state_reason = 64;

/// True for the states of a guest that is off.
bool is_off(std::string_view state) noexcept;

/// True for the states of a guest that can be shut down. "shutdown" is not one of them: it is a machine's last moment,
/// and the last state of the example sub-agents' guests.
bool is_on(std::string_view state) noexcept;

/// Returns the rules of a stored guest. Members that cannot be read have their defaults: the guest may be older than the
/// check.
power_rules power_of(const guest& of) noexcept;

/// Throws `failure{invalid_request}` that names the member of `power` or `on_io_error` that is unknown or wrong.
void expect_power(const guest& from_client);

} // namespace mistify::rpc
