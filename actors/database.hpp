#pragma once

#include "actors/config/current_config.hpp"
#include "actors/host/host_state.hpp"
#include "store/journal.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// The database as the config wants it.
namespace mistify::actors {

/// Opens it, after the import of the original's database where one is named. The limits of `current` are asked for at each
/// batch. All but `warn` outlive the journal. Throws `failure{storage_failed}`.
std::shared_ptr<store::journal> open_journal(const current_config& current, store::guest_index& guests,
                                             store::event_feed& events, store::token_index& tokens,
                                             store::host_board& board, const host_state& host,
                                             std::function<void(std::string_view)> warn);

/// Returns the bytes that an unprivileged process may still write there; the maximum value if unknown.
std::uint64_t free_bytes_at(const std::string& path);

/// Returns the configured bound. The default is for servers' disks: if the whole file system is not larger, uses a
/// tenth of it, or nothing could be written.
std::uint64_t least_free_at(const std::string& path, std::uint64_t wanted);

} // namespace mistify::actors
