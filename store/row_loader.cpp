#include "store/row_loader.hpp"

#include "rpc/model/codec.hpp"
#include "store/broken_rows.hpp"
#include "store/events.hpp"
#include "store/guest_merge.hpp"
#include "store/guest_scan.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>

namespace mistify::store {

namespace {

bool is_on(std::string_view state) {
  return state == "running" || state == "blocked" || state == "paused" || state == "suspended";
}

struct guest_row {
  std::string id, doc;
};

guest_ptr make_guest(guest_row& of, std::string type, guest_facts facts) {
  return std::make_shared<const stored_guest>(
    stored_guest{std::move(of.id), std::move(type), std::move(of.doc), std::move(facts)});
}

/// Moves the texts out of the row unless it throws. A guest without a wish, from an older agent, is added to `settled`.
guest_ptr read_guest(guest_row& row, std::vector<guest_ptr>& settled) {
  if (auto scanned = scan_guest(row.doc); scanned && scanned->id == row.id && !scanned->wanted.empty())
    return make_guest(row, std::string{scanned->type}, std::move(scanned->facts));
  auto guest = rpc::decode_guest(row.doc);
  if (guest.id != row.id)
    throw rpc::failure{rpc::errc::storage_failed, "id: is '" + guest.id + "'"};
  if (!guest.wanted.empty())
    return make_guest(row, guest.type, facts_of(guest));
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

struct read_rows {
  std::vector<guest_ptr> guests, settled;
  std::vector<broken_row> broken;
};

/// On any thread.
read_rows read_all(std::vector<guest_row> rows) {
  read_rows read;
  read.guests.reserve(rows.size());
  for (auto& row : rows) {
    try {
      read.guests.push_back(read_guest(row, read.settled));
    } catch (const rpc::failure& error) {
      read.broken.push_back({"guests", std::move(row.id), std::move(row.doc), error.message()});
    }
  }
  return read;
}

/// Calls `use` with some rows at a time.
template <class F>
void for_rows(database& db, F use) {
  constexpr std::size_t at_once = 500;
  statement all{db, "SELECT id, doc FROM guests"};
  std::vector<guest_row> rows;
  for (auto row = all(); row.next();) {
    rows.push_back({row.text(0), row.text(1)});
    if (rows.size() == at_once)
      use(std::exchange(rows, {}));
  }
  use(std::move(rows));
}

/// Reads the guests in rows on a thread of its own while its owner gets further rows from the database; then both read the
/// rest. Few guests need no thread.
class shared_reading {
public:
  ~shared_reading() { end(); }

  void add(std::vector<guest_row> rows) {
    const std::lock_guard lock{mutex_};
    parts_.push_back({std::move(rows), {}});
    came_.notify_one();
    if (parts_.size() == 2)
      other_ = std::async(std::launch::async | std::launch::deferred, [this] { read(); });
  }

  /// No more rows come. Returns what was in them, in their order.
  read_rows finish() {
    end();
    read();
    if (other_.valid())
      other_.get();
    read_rows all;
    for (auto& part : parts_) {
      std::ranges::move(part.read.guests, std::back_inserter(all.guests));
      std::ranges::move(part.read.settled, std::back_inserter(all.settled));
      std::ranges::move(part.read.broken, std::back_inserter(all.broken));
    }
    return all;
  }

private:
  struct share {
    std::vector<guest_row> rows;
    read_rows read;
  };

  void end() {
    const std::lock_guard lock{mutex_};
    over_ = true;
    came_.notify_all();
  }

  /// Reads the parts that no other thread reads, until there are no more.
  void read() {
    std::unique_lock lock{mutex_};
    for (;;) {
      came_.wait(lock, [this] { return over_ || next_ < parts_.size(); });
      if (next_ == parts_.size())
        return;
      auto& mine = parts_[next_++];
      lock.unlock();
      mine.read = read_all(std::move(mine.rows));
      lock.lock();
    }
  }

  std::mutex mutex_; // guards the following members
  std::condition_variable came_;
  std::deque<share> parts_; // references to them stay valid
  std::size_t next_ = 0;    // the first that no thread reads
  bool over_ = false;
  std::future<void> other_; // last: it uses the others
};

read_rows read_guests(database& db) {
  shared_reading guests;
  for_rows(db, [&](std::vector<guest_row> rows) { guests.add(std::move(rows)); });
  return guests.finish();
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
  auto [guests, settled, broken] = read_guests(db);
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
