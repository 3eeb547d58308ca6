#include "store/journal.hpp"

#include "store/journal_impl.hpp"
#include "store/row_loader.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <utility>

namespace mistify::store {

void expect_fit(std::size_t size, std::size_t before, std::size_t most, rpc::errc code, const std::string& what) {
  if (size > most && size > before)
    throw rpc::failure{code,
                       what + " has " + std::to_string(size) + " bytes, at most " + std::to_string(most) + " are kept"};
}

void pending_changes::take(pending_changes&& later) {
  for (auto& [id, guest] : later.guests)
    guests.insert_or_assign(id, std::move(guest));
  for (auto& [id, row] : later.jobs)
    jobs.insert_or_assign(id, std::move(row));
  for (auto& [id, token] : later.tokens)
    tokens.insert_or_assign(id, std::move(token));
  if (later.metadata)
    metadata = std::move(later.metadata);
  if (later.maintenance)
    maintenance = std::move(later.maintenance);
  if (later.boot_starts) {
    boot_starts = std::move(later.boot_starts);
    boot_done.clear();
  }
  boot_done.merge(later.boot_done);
  ended += later.ended;
  std::ranges::move(later.events, std::back_inserter(events));
}

// -- opening -------------------------------------------------------------------------------------------------------

journal::impl::impl(const journal_settings& s, guest_index& d)
  : settings{s}, published{d}, file{s.path}, jobs{file.db()}, guests{file.db()},
    agent_metadata{file.db()}, keys{file.db()}, events{file.db()}, epochs{file.db()}, tokens{file.db()},
    audits{file.db()}, host{file.db()}, boots{file.db()} {
  auto loaded = load_guests(file.db(), settings);
  constexpr std::size_t few = 500; // not worth a thread
  auto counted = std::async(loaded.size() > few ? std::launch::async | std::launch::deferred : std::launch::deferred,
                            [&] { ledger.load(loaded); });
  auto metadata = agent_metadata.all();
  ended = jobs.count_ended();
  first_ended = jobs.first_ended();
  next_ended = jobs.last_ended() + 1;
  last_aged = next_ended - 1;
  ages.emplace(settings.keep_for, settings.steady(), last_aged);
  for (auto& left : jobs.unfinished())
    live.emplace(left.job.id,
                 job_row{left.seq, left.job, left.stage, std::move(left.stage_name), 0, left.due, left.detour});
  boot_starts = boots.starts();
  oldest_event = events.first();
  last_event = events.last();
  if (settings.events)
    settings.events->begin_behind(last_event, epochs.all());
  file.db().execute("PRAGMA shrink_memory"); // pages of guests, which are in memory now
  auto known_tokens = settings.tokens ? tokens.all() : std::vector<token_ptr>{};
  file.accept(settings.max_bytes);
  published.put_all(loaded);
  published.put_metadata(std::move(metadata));
  maintenance = host.maintenance();
  tag_key = host.find("tag_key").value_or("");
  counted.get();
  load_ledger();
  for (auto& one : known_tokens)
    settings.tokens->put(std::move(one));
}

journal::journal(journal_settings settings, guest_index& published) {
  if (!settings.now)
    settings.now = [] { return rpc::timestamp{std::chrono::system_clock::now()}; };
  if (!settings.steady)
    settings.steady = std::chrono::steady_clock::now;
  try {
    impl_ = std::make_unique<impl>(settings, published);
  } catch (const rpc::failure& error) {
    throw rpc::failure{error.code(), "database " + settings.path + ": " + error.message(), error.stack()};
  }
}

journal::~journal() = default;

std::vector<unfinished_job> journal::unfinished() const {
  return impl_->jobs.unfinished();
}

// -- batch ---------------------------------------------------------------------------------------------------------

void journal::begin() {
  if (in_batch())
    throw rpc::failure{rpc::errc::internal, "a batch is open already"};
  if (impl_->has_diverged)
    throw rpc::failure{rpc::errc::storage_failed,
                       "the database was removed or replaced during a commit: start the agent again"};
  impl_->batch.emplace(impl_->file.db());
  impl_->take_limits();
}

void journal::impl::take_limits() {
  if (!settings.limits_now)
    return;
  settings.take(settings.limits_now());
  ages->set_young_for(settings.keep_for);
}

void journal::commit() {
  impl_->require_batch();
  try {
    impl_->require_standing();
    impl_->file.require_in_place();
    if (impl_->settings.before_commit)
      impl_->settings.before_commit();
    impl_->prune();
    impl_->write_events();
    impl_->prune_events();
    impl_->batch->commit();
    impl_->require_found();
  } catch (...) {
    rollback();
    throw;
  }
  impl_->batch.reset();
  impl_->publish();
}

void journal::rollback() noexcept {
  impl_->batch.reset();
  impl_->pending = {};
  impl_->ledger.rollback();
}

bool journal::in_batch() const noexcept {
  return impl_->batch.has_value();
}

void journal::require_in_place() const {
  impl_->file.require_in_place();
}

/// Refuses commits if the path no longer leads to the open file. If that file is restored, it may contain more than
/// the memory state; then only a new start reads the true state.
void journal::impl::require_found() {
  try {
    file.require_in_place();
  } catch (const rpc::failure&) {
    has_diverged = true;
    throw;
  }
}

void journal::impl::require_batch() const {
  if (!batch)
    throw rpc::failure{rpc::errc::internal, "no batch is open"};
}

void journal::impl::require_standing() const {
  if (!file.db().in_transaction())
    throw rpc::failure{rpc::errc::storage_failed, "a failed write has undone the batch"};
}

void journal::impl::publish() noexcept {
  auto done = std::exchange(pending, {});
  for (auto& [id, guest] : done.guests)
    guest ? published.put(std::move(guest)) : published.erase(id);
  for (auto& [id, row] : done.jobs) {
    if (row)
      live.insert_or_assign(id, *std::move(row));
    else
      live.erase(id);
  }
  for (auto& [id, token] : done.tokens)
    if (settings.tokens)
      token ? settings.tokens->put(std::move(token)) : settings.tokens->erase(id);
  if (done.boot_starts)
    boot_starts = *std::move(done.boot_starts);
  for (const auto& id : done.boot_done)
    boot_starts.erase(id);
  if (done.metadata)
    published.put_metadata(*std::move(done.metadata));
  ledger.commit();
  if (done.maintenance)
    maintenance = *std::move(done.maintenance);
  if (settings.host) {
    settings.host->put(ledger.sums());
    settings.host->put(maintenance);
  }
  ended += static_cast<std::size_t>(done.ended);
  first_ended = done.first_ended.value_or(first_ended);
  if (std::exchange(last_aged, next_ended - 1) != next_ended - 1)
    ages->ended(settings.steady(), next_ended - 1);
  oldest_event = done.oldest_event.value_or(oldest_event);
  if (!done.events.empty()) {
    last_event = done.events.back().id;
    epoch_begun = true;
  }
  if (settings.events)
    settings.events->publish(std::move(done.events), std::move(done.epochs));
}

// -- what the batch sees -------------------------------------------------------------------------------------------

guest_ptr journal::impl::guest(std::string_view id) const {
  auto found = pending.guests.find(id);
  return found == pending.guests.end() ? published.find(id) : found->second;
}

guest_ptr journal::impl::guest(std::string_view id, const pending_changes& staged) const {
  const auto changed = staged.guests.find(id);
  return changed == staged.guests.end() ? guest(id) : changed->second;
}

/// Batches are small, so their changes are counted in a loop.
std::size_t journal::impl::count_guests() const {
  auto count = published.size();
  for (const auto& [id, guest] : pending.guests) {
    const bool was_there = published.find(id) != nullptr;
    count += static_cast<std::size_t>(guest && !was_there);
    count -= static_cast<std::size_t>(!guest && was_there);
  }
  return count;
}

std::optional<job_row> journal::impl::unfinished(const std::string& id) const {
  if (auto found = pending.jobs.find(id); found != pending.jobs.end())
    return found->second;
  auto found = live.find(id);
  return found == live.end() ? std::nullopt : std::optional{found->second};
}

rpc::metadata_map journal::impl::metadata() const {
  return pending.metadata ? *pending.metadata : published.metadata();
}

// -- audit ---------------------------------------------------------------------------------------------------------

void journal::impl::note(audit_entry what) {
  what.at = settings.now();
  audits.append(what);
}

void journal::note(audit_entry what) {
  impl_->step([&](pending_changes&) {
    impl_->note(std::move(what));
    return true;
  });
}

// -- is it writable ------------------------------------------------------------------------------------------------

/// SQLite writes a page for this pragma even if its value does not change.
void journal::probe() {
  impl_->step([&](pending_changes&) {
    const auto version = impl_->file.db().integer("PRAGMA user_version");
    impl_->file.db().execute(("PRAGMA user_version = " + std::to_string(version)).c_str());
    return version;
  });
}

} // namespace mistify::store
