#include "store/event_epochs.hpp"

#include <algorithm>
#include <utility>

namespace mistify::store {

std::string_view event_epochs::of(std::int64_t id) const {
  if (all_.empty())
    return {};
  const auto later = std::ranges::find_if(all_, [&](const epoch& one) { return one.begins >= id; });
  return later == all_.begin() ? all_.front().name : std::prev(later)->name;
}

std::optional<std::int64_t> event_epochs::end_of(std::string_view name, std::int64_t last) const {
  const auto found = std::ranges::find(all_, name, &epoch::name);
  if (found == all_.end())
    return std::nullopt;
  const auto next = std::next(found);
  return next == all_.end() ? last : next->begins;
}

epoch_table::epoch_table(const database& db)
  : all_{db, "SELECT begins, name FROM event_epochs ORDER BY begins"},
    begin_{db, "INSERT OR REPLACE INTO event_epochs (begins, name) VALUES (?, lower(hex(randomblob(8))))"},
    erase_{db, "DELETE FROM event_epochs WHERE begins < (SELECT max(begins) FROM event_epochs WHERE begins < ? - 1)"} {}

epochs_ptr epoch_table::all() {
  std::vector<event_epochs::epoch> found;
  for (auto row = all_(); row.next();)
    found.push_back({row.integer(0), row.text(1)});
  return std::make_shared<const event_epochs>(std::move(found));
}

void epoch_table::begin_behind(std::int64_t last) {
  begin_.run(last);
}

void epoch_table::erase_before(std::int64_t id) {
  erase_.run(id);
}

} // namespace mistify::store
