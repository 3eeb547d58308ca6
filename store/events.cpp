#include "store/events.hpp"

#include "store/jobs.hpp"

namespace mistify::store {

namespace {

/// Cuts between two characters of UTF-8, and says so.
void shorten(std::string& text) {
  if (text.size() <= longest_event_text)
    return;
  constexpr std::string_view mark = "…";
  auto end = longest_event_text - mark.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  text.replace(end, text.npos, mark);
}

} // namespace

event event_of(event_type type, const rpc::job& by) {
  event what;
  what.at = by.updated_at;
  what.type = type;
  what.guest = by.guest_id;
  what.job = by.id;
  what.action = by.action;
  return what;
}

event_table::event_table(const database& db)
  : db_{db}, insert_{db,
                     "INSERT INTO events (at, type, guest, job, action, number, text) VALUES (?, ?, ?, ?, ?, ?, ?)"},
    erase_before_{db, "DELETE FROM events WHERE id < ?"}, first_{db, "SELECT id FROM events ORDER BY id LIMIT 1"},
    last_{db, "SELECT id FROM events ORDER BY id DESC LIMIT 1"} {}

void event_table::insert(event& what) {
  shorten(what.text);
  insert_.run(to_column(what.at), static_cast<std::int64_t>(what.type), what.guest, what.job, what.action, what.number,
              what.text);
  what.id = db_.last_row();
}

void event_table::erase_before(std::int64_t id) {
  erase_before_.run(id);
}

std::int64_t event_table::first() {
  auto row = first_();
  return row.next() ? row.integer(0) : 1;
}

std::int64_t event_table::last() {
  auto row = last_();
  return row.next() ? row.integer(0) : 0;
}

event_lookup::event_lookup(const database& db)
  : after_{db, "SELECT id, at, type, guest, job, action, number, text FROM events WHERE id > ? ORDER BY id LIMIT ?"} {}

std::vector<event_ptr> event_lookup::after(std::int64_t id, std::size_t most) {
  std::vector<event_ptr> found;
  for (auto row = after_(id, most); row.next();) {
    event one;
    one.id = row.integer(0);
    one.at = from_column(row.integer(1));
    one.type = static_cast<event_type>(row.integer(2));
    one.guest = row.text(3);
    one.job = row.text(4);
    one.action = row.text(5);
    one.number = row.integer(6);
    one.text = row.text(7);
    found.push_back(std::make_shared<const event>(std::move(one)));
  }
  return found;
}

} // namespace mistify::store
