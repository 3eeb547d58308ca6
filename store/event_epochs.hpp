#pragma once

#include "store/sqlite.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::store {

/// The histories that the log of events went through: each start that tells something begins one, under a random name. A
/// database that was restored from a backup lacks the names, or the later parts, of what happened after the backup. So
/// a number with its epoch tells events apart that a number alone does not.
class event_epochs {
public:
  struct epoch {
    std::int64_t begins = 0; ///< the last event before it
    std::string name;
  };

  explicit event_epochs(std::vector<epoch> in_order) : all_{std::move(in_order)} {}

  /// The one that an event is of, or a place behind it; empty if there is none.
  std::string_view of(std::int64_t id) const;

  /// The last event of an epoch, where `last` is the last one of the log; nothing for an unknown one.
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

  /// Begins an epoch behind that event, with a name that no other one has.
  void begin_behind(std::int64_t last);

  /// Forgets those that were over before the place in front of that event.
  void erase_before(std::int64_t id);

private:
  statement all_, begin_, erase_;
};

} // namespace mistify::store
