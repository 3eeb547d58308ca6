#pragma once

#include "actors/config/config.hpp"

#include <memory>
#include <mutex>
#include <string_view>

namespace mistify::actors {

/// The config that holds now. SIGHUP replaces it as a whole. Readers call `get` at each use; for several members of one
/// config they call it once. Thread-safe; the lock is held for a copy of a pointer.
class current_config {
public:
  explicit current_config(config at_start);

  /// Never null. The config does not change, and lives as long as somebody holds it.
  std::shared_ptr<const config> get() const;

  void replace(std::shared_ptr<const config> next); ///< not null

  /// The pipeline of an action; null if it is not configured. Jobs keep the one that they began with.
  action_ptr find_action(std::string_view name) const { return get()->find_action(name); }

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const config> now_;
};

} // namespace mistify::actors
