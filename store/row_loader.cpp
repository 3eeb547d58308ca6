#include "store/row_loader.hpp"

#include "rpc/model/codec.hpp"
#include "store/broken_rows.hpp"
#include "store/events.hpp"
#include "store/guest_merge.hpp"
#include "store/guest_scan.hpp"

#include <string>
#include <utility>

namespace mistify::store {

namespace {

bool is_on(std::string_view state) {
  return state == "running" || state == "blocked" || state == "paused" || state == "suspended";
}

/// A guest of before agents knew wishes is wished as it is: `settled` gets it.
guest_ptr read_guest(std::string id, std::string doc, std::vector<guest_ptr>& settled) {
  if (auto scanned = scan_guest(doc); scanned && scanned->id == id && !scanned->wanted.empty())
    return std::make_shared<const stored_guest>(
      stored_guest{std::move(id), std::string{scanned->type}, std::move(doc), std::move(scanned->facts)});
  auto guest = rpc::decode_guest(doc);
  if (guest.id != id)
    throw rpc::failure{rpc::errc::storage_failed, "id: is '" + guest.id + "'"};
  if (!guest.wanted.empty()) {
    auto facts = facts_of(guest);
    return std::make_shared<const stored_guest>(
      stored_guest{std::move(id), std::move(guest.type), std::move(doc), std::move(facts)});
  }
  guest.wanted = is_on(guest.state) ? "on" : "off";
  settled.push_back(to_stored(guest));
  return settled.back();
}

/// A full disk does not matter: the next start settles them again.
void write_settled(database& db, const std::vector<guest_ptr>& settled) {
  if (settled.empty())
    return;
  try {
    transaction all{db};
    statement replace{db, "UPDATE guests SET doc = ? WHERE id = ?"};
    for (const auto& one : settled)
      replace.run(one->doc, one->id);
    all.commit();
  } catch (const rpc::failure&) { // NOLINT: see above
  }
}

std::vector<guest_ptr> read_guests(database& db, std::vector<broken_row>& broken, std::vector<guest_ptr>& settled) {
  std::vector<guest_ptr> guests;
  statement all{db, "SELECT id, doc FROM guests"};
  for (auto row = all(); row.next();) {
    try {
      guests.push_back(read_guest(row.text(0), row.text(1), settled));
    } catch (const rpc::failure& error) {
      broken.push_back({"guests", row.text(0), row.text(1), error.message()});
    }
  }
  return guests;
}

void find_broken_jobs(database& db, std::vector<broken_row>& broken) {
  statement all{db, "SELECT id, json_object('seq', seq, 'guest', guest, 'action', action, 'request', request, "
                    "'status', status, 'queued_at', queued_at, 'message', message), status "
                    "FROM jobs INDEXED BY jobs_broken WHERE status NOT BETWEEN 0 AND 3"};
  for (auto row = all(); row.next();)
    broken.push_back({"jobs", row.text(0), row.text(1), "status: " + row.text(2) + " is none"});
}

void set_aside(database& db, const std::vector<broken_row>& broken, rpc::timestamp now) {
  transaction move{db};
  keep_aside(db, broken, now);
  statement erase_guest{db, "DELETE FROM guests WHERE id = ?"};
  statement erase_create{db, "DELETE FROM creates WHERE guest = ?"};
  statement erase_key{db, "DELETE FROM idempotency WHERE job = (SELECT seq FROM jobs WHERE id = ?)"};
  statement erase_job{db, "DELETE FROM jobs WHERE id = ?"};
  std::vector<event> told;
  event_table events{db};
  auto last = events.last();
  for (const auto& row : broken) {
    auto is_guest = row.source == "guests";
    if (is_guest) {
      auto& gone = told.emplace_back();
      gone.id = ++last;
      gone.at = now;
      gone.type = event_type::guest_deleted;
      gone.guest = row.key;
    }
    (is_guest ? erase_create : erase_key).run(row.key);
    (is_guest ? erase_guest : erase_job).run(row.key);
  }
  events.append(told);
  move.commit();
}

} // namespace

std::vector<guest_ptr> load_guests(database& db, const journal_settings& settings) {
  std::vector<broken_row> broken;
  std::vector<guest_ptr> settled;
  auto guests = read_guests(db, broken, settled);
  write_settled(db, settled);
  find_broken_jobs(db, broken);
  if (broken.empty())
    return guests;
  std::string how = "set aside a broken row of ";
  try {
    set_aside(db, broken, settings.now());
  } catch (const rpc::failure& error) { // a full disk: the other guests are served, and the next start tries again
    how = "pass over (" + error.message() + ") a broken row of ";
  }
  for (const auto& row : broken)
    if (settings.warn)
      settings.warn(how + describe(row));
  return guests;
}

} // namespace mistify::store
