#include "store/boots.hpp"

namespace mistify::store {

boot_table::boot_table(const database& db)
  : id_{db, "SELECT id FROM boots"}, clear_{db, "DELETE FROM boots"}, put_{db, "INSERT INTO boots (id) VALUES (?)"},
    starts_{db, "SELECT guest FROM boot_starts"}, add_start_{db,
                                                             "INSERT OR IGNORE INTO boot_starts (guest) VALUES (?)"},
    drop_start_{db, "DELETE FROM boot_starts WHERE guest = ?"}, drop_starts_{db, "DELETE FROM boot_starts"} {}

std::string boot_table::id() {
  auto row = id_();
  return row.next() ? row.text(0) : std::string{};
}

void boot_table::put(std::string_view id) {
  clear_.run();
  put_.run(id);
}

std::set<std::string, std::less<>> boot_table::starts() {
  std::set<std::string, std::less<>> guests;
  for (auto row = starts_(); row.next();)
    guests.insert(row.text(0));
  return guests;
}

void boot_table::add_start(std::string_view guest) {
  add_start_.run(guest);
}

void boot_table::drop_start(std::string_view guest) {
  drop_start_.run(guest);
}

void boot_table::drop_starts() {
  drop_starts_.run();
}

} // namespace mistify::store
