#pragma once

#include "store/sqlite.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::store {

/// The epochs of the event log. Each start that logs an event begins one under a random name. A database restored
/// from a backup lacks the epochs, or parts of epochs, that came after the backup. An event id together with its
/// epoch is therefore unique; an id alone is not.
class event_epochs {
public:
  struct epoch {
    std::int64_t begins = 0; ///< id of the last event before it
    std::string name;
  };

  explicit event_epochs(std::vector<epoch> in_order) : all_{std::move(in_order)} {}

  /// Returns the epoch of an event, or of the position after the last one; empty if there is none.
  std::string_view of(std::int64_t id) const;

  /// Returns the last event id of an epoch; `last` is the last id of the log. Null for an unknown epoch.
  std::optional<std::int64_t> end_of(std::string_view name, std::int64_t last) const;

private:
  std::vector<epoch> all_;
};

using epochs_ptr = std::shared_ptr<const event_epochs>;

/// The writer's view of the table `event_epochs`. Throws `failure{storage_failed}`.
class epoch_table {
public:
  explicit epoch_table(const database& db);

  epochs_ptr all();

  /// Begins an epoch after that event, with a new unique name.
  void begin_behind(std::int64_t last);

  /// Deletes the epochs that ended before that event.
  void erase_before(std::int64_t id);

private:
  statement all_, begin_, erase_;
};

} // namespace mistify::store
