#include "actors/inspect/actor_registry.hpp"

#include <algorithm>

namespace mistify::actors {

namespace {

/// The maximum number of failed actors that are remembered.
constexpr std::size_t most_faults = 1000;

/// Null if the actor is about to end. Its memory is valid while it is registered.
caf::strong_actor_ptr alive(const actor_registry::row& who) {
  return caf::weak_actor_ptr{who.actor}.lock();
}

} // namespace

void presence::begins(caf::atom_value message, time now) noexcept {
  message_.store(static_cast<std::uint64_t>(message), std::memory_order_relaxed);
  since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

void presence::ends(bool taken, bool busy) noexcept {
  at_work_.store(busy, std::memory_order_relaxed);
  since_.store(0, std::memory_order_relaxed);
  if (taken)
    done_.fetch_add(1, std::memory_order_relaxed);
}

bool presence::idle() const noexcept {
  return !at_work_.load(std::memory_order_relaxed) && since_.load(std::memory_order_relaxed) == 0 && mailbox() == 0;
}

/// Takes no lock, so the count may be off by the messages arriving now.
std::size_t presence::mailbox() const noexcept {
  const auto done = done_.load(std::memory_order_relaxed) + (since_.load(std::memory_order_relaxed) == 0 ? 0 : 1);
  const auto came = came_.load(std::memory_order_relaxed);
  return came > done ? came - done : 0;
}

std::optional<actor_status::handling> presence::at(time now) const {
  const auto since = since_.load(std::memory_order_relaxed);
  if (since == 0)
    return std::nullopt;
  const auto message = static_cast<caf::atom_value>(message_.load(std::memory_order_relaxed));
  return actor_status::handling{caf::to_string(message), now - time{time::duration{since}}};
}

std::string actor_registry::row::id() const {
  return name.empty() ? std::string{kind} : std::string{kind} + ':' + name;
}

/// The replaced actor may still be registered: the newer one takes precedence.
void actor_registry::enter(row* who) {
  const std::lock_guard lock{mutex_};
  rows_.erase(who);
  rows_.insert(who);
}

void actor_registry::leave(row* who, const std::string& why, presence::time now) {
  const std::lock_guard lock{mutex_};
  if (const auto found = rows_.find(who); found != rows_.end() && *found == who)
    rows_.erase(found);
  const auto id = who->id();
  if (why.empty()) {
    faults_.erase(id);
    return;
  }
  if (faults_.size() >= most_faults && !faults_.contains(id))
    return;
  auto& noted = faults_[id];
  noted = {noted.restarts + 1, {now, why, {}}};
}

void actor_registry::note_error(row* who, const history::event& what) {
  const std::lock_guard lock{mutex_};
  who->last_error = std::make_unique<history::event>(what);
}

std::vector<actor_registry::member> actor_registry::all(presence::time now) const {
  std::vector<member> found;
  const std::lock_guard lock{mutex_};
  found.reserve(rows_.size());
  for (const auto* who : rows_) {
    found.push_back(look_at(*who, now));
    if (!who->seen->idle() ||
        who->subject == named_after::service) // calls reach a service without a message to its actor
      found.back().actor = alive(*who);
  }
  return found;
}

std::optional<actor_registry::member> actor_registry::find(std::string_view id, presence::time now) const {
  const auto colon = std::min(id.find(':'), id.size());
  const by_name::key key{id.substr(0, colon), id.substr(std::min(colon + 1, id.size()))};
  const std::lock_guard lock{mutex_};
  const auto found = rows_.find(key);
  if (found == rows_.end() || (*found)->id() != id)
    return std::nullopt;
  auto seen = look_at(**found, now);
  seen.actor = alive(**found);
  return seen;
}

std::size_t actor_registry::size() const {
  const std::lock_guard lock{mutex_};
  return rows_.size();
}

actor_registry::member actor_registry::look_at(const row& who, presence::time now) const {
  member seen;
  auto& known = seen.known;
  known.id = who.id();
  known.kind = who.kind;
  known.name = who.name;
  if (who.subject == named_after::guest)
    known.guest = who.name;
  else if (who.subject == named_after::service)
    known.service = who.name;
  known.mailbox = who.seen->mailbox();
  known.at = who.seen->at(now);
  if (who.subject == named_after::guest && !direct_calls_.empty())
    known.calls = direct_calls_.of(who.name, now);
  known.calls_out = known.calls.size();
  known.state = known.calls.empty() ? condition::idle : condition::working;
  if (const auto found = faults_.find(known.id); found != faults_.end()) {
    known.restarts = found->second.restarts;
    known.last_error = found->second.last.told(now);
  }
  if (who.last_error) // newer, because it is from the current actor
    known.last_error = who.last_error->told(now);
  return seen;
}

} // namespace mistify::actors
