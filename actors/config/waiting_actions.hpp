#pragma once

#include "rpc/model/model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Actions whose jobs may wait until the guest has done what it was asked for: shutdown and reboot, and those of containers.
namespace mistify::actors {

/// A guest that takes longer than a day to go off does not.
inline constexpr std::uint64_t longest_wait_seconds = 24 * 3600;

/// "shutdown" and "containerShutdown" are both `wanted`: "shutdown".
bool is_action(std::string_view name, std::string_view wanted) noexcept;

bool takes_time(std::string_view action) noexcept;

/// The seconds that `args.wait` of such a stage says; null if it says none, or none that make sense.
std::optional<std::uint64_t> wait_seconds(const rpc::metadata_map& args) noexcept;

/// Why these args of a stage of such an action make no sense: "wait: must be …"; "" if they do.
std::string wrong_args(const rpc::metadata_map& args);

} // namespace mistify::actors
