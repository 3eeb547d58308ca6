#include "store/guests.hpp"

#include "store/jobs.hpp"

namespace mistify::store {

guest_table::guest_table(const database& db)
  : insert_{db, "INSERT INTO guests (id, doc) VALUES (?, ?)"},
    // REPLACE: the create of a guest that was set aside as broken may still exist.
    insert_create_{db, "INSERT OR REPLACE INTO creates (guest, job, action, queued_at, digest, doc) "
                       "VALUES (?, ?, ?, ?, ?, ?)"},
    replace_{db, "UPDATE guests SET doc = ? WHERE id = ?"}, erase_{db, "DELETE FROM guests WHERE id = ?"},
    erase_create_{db, "DELETE FROM creates WHERE guest = ?"},
    find_create_{db, "SELECT job, action, queued_at, digest, doc FROM creates WHERE guest = ?"} {}

void guest_table::insert(const stored_guest& guest) {
  insert_.run(guest.id, guest.doc);
}

void guest_table::insert(const stored_guest& guest, const rpc::job& create, std::string_view digest) {
  insert(guest);
  insert_create_.run(guest.id, create.id, create.action, to_column(create.queued_at), digest, guest.doc);
}

void guest_table::replace(const stored_guest& guest) {
  replace_.run(guest.doc, guest.id);
}

void guest_table::erase(std::string_view id) {
  erase_.run(id);
  erase_create_.run(id);
}

std::optional<first_create> guest_table::find_create(std::string_view id) {
  auto row = find_create_(id);
  if (!row.next())
    return std::nullopt;
  first_create found;
  auto& job = found.answer.job;
  job.id = row.text(0);
  job.guest_id = std::string{id};
  job.action = row.text(1);
  job.queued_at = job.updated_at = from_column(row.integer(2));
  found.digest = row.text(3);
  found.answer.guest_doc = row.text(4);
  found.answer.repeated = true;
  return found;
}

metadata_table::metadata_table(const database& db)
  : all_{db, "SELECT key, value FROM metadata"},
    put_{db, "INSERT INTO metadata (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
    erase_{db, "DELETE FROM metadata WHERE key = ?"} {}

rpc::metadata_map metadata_table::all() {
  rpc::metadata_map result;
  for (auto row = all_(); row.next();)
    result.emplace(row.text(0), row.text(1));
  return result;
}

void metadata_table::change(const rpc::metadata_map& before, const rpc::metadata_map& after) {
  for (const auto& [key, value] : after)
    if (auto old = before.find(key); old == before.end() || old->second != value)
      put_.run(key, value);
  for (const auto& [key, value] : before)
    if (!after.contains(key))
      erase_.run(key);
}

} // namespace mistify::store
