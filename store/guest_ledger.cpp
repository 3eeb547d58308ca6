#include "store/guest_ledger.hpp"

#include "rpc/base/text.hpp"

#include <algorithm>
#include <utility>

namespace mistify::store {

namespace {

template <class Owners>
void set_owner(Owners& in, const typename Owners::key_type& key, const typename Owners::mapped_type& owner, bool add) {
  if (add) {
    in.emplace(key, owner);
    return;
  }
  const auto [first, last] = in.equal_range(key);
  if (const auto found = std::find_if(first, last, [&](const auto& row) { return row.second == owner; }); found != last)
    in.erase(found);
}

const std::string& id_of(const std::string& id) noexcept {
  return id;
}
const std::string& id_of(const stored_guest* guest) noexcept {
  return guest->id;
}

template <class Owners>
const std::string* other_owner(const Owners& in, const typename Owners::key_type& key, std::string_view but) {
  const auto [first, last] = in.equal_range(key);
  const auto found = std::find_if(first, last, [&](const auto& row) { return id_of(row.second) != but; });
  return found == last ? nullptr : &id_of(found->second);
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), rpc::text::lower);
  return text;
}

/// Unsigned wrap-around is correct here: what was added is subtracted.
void change(std::uint64_t& sum, std::uint64_t by, bool add) noexcept {
  sum = add ? sum + by : sum - by;
}

template <class Amounts>
void change(host_sums::amounts& sum, const Amounts& by, bool add) noexcept {
  change(sum.memory, by.memory, add);
  change(sum.cpu, by.cpu, add);
}

} // namespace

void guest_ledger::load(std::vector<guest_ptr> guests) {
  entries_.reserve(guests.size());
  macs_.reserve(guests.size());
  names_.reserve(guests.size());
  ports_.reserve(guests.size());
  for (auto& guest : guests)
    enter({std::move(guest)});
}

void guest_ledger::put(guest_ptr guest) {
  const auto id = guest->id;
  note(id);
  const auto found = entries_.find(id);
  const int starts = found == entries_.end() ? 0 : found->second.starts;
  set(id, entry{std::move(guest), starts});
}

void guest_ledger::erase(const std::string& id) {
  note(id);
  set(id, std::nullopt);
}

void guest_ledger::count_start(const std::string& id, int by) {
  const auto found = entries_.find(id);
  if (found == entries_.end())
    return;
  note(id);
  auto changed = found->second;
  changed.starts = std::max(0, changed.starts + by);
  set(id, changed);
}

void guest_ledger::rollback() {
  for (const auto& [id, before] : std::exchange(undo_, {}))
    set(id, before);
  for (const auto& [job, before] : std::exchange(undo_reserved_, {}))
    set_reserved(job, before);
}

void guest_ledger::reserve(const std::string& job_id, const std::optional<reservation>& what) {
  const auto found = reserved_.find(job_id);
  if (!what && found == reserved_.end())
    return;
  undo_reserved_.try_emplace(job_id, found == reserved_.end() ? std::nullopt : std::optional{found->second});
  set_reserved(job_id, what);
}

void guest_ledger::set_reserved(const std::string& job_id, const std::optional<reservation>& as) {
  const auto count_all = [&](const reservation& one, bool add) {
    change(sums_.allocated, one.allocated, add);
    change(sums_.promised, one.promised, add);
    change(sums_.disk, one.disk, add);
    for (const auto& mac : one.macs)
      set_owner(reserved_macs_, mac, one.guest, add);
  };
  if (const auto found = reserved_.find(job_id); found != reserved_.end()) {
    count_all(found->second, false);
    reserved_.erase(found);
  }
  if (as) {
    count_all(*as, true);
    reserved_.emplace(job_id, *as);
  }
}

bool guest_ledger::is_allocated(const std::string& id) const {
  const auto found = entries_.find(id);
  return found != entries_.end() && (found->second.starts > 0 || holds_memory(found->second.guest->facts.state));
}

const std::string* guest_ledger::holder_of_mac(const std::string& mac, std::string_view but) const {
  const auto* has = other_owner(macs_, mac, but);
  return has ? has : other_owner(reserved_macs_, mac, but);
}

const std::string* guest_ledger::holder_of_vnc(std::int64_t port, std::string_view but) const {
  return other_owner(ports_, port, but);
}

const std::string* guest_ledger::holder_of_name(const std::string& name, std::string_view but) const {
  return other_owner(names_, name, but);
}

const std::string* guest_ledger::holder_of_spelling(const std::string& lower_id) const {
  return other_owner(spellings_, lower_id, {});
}

void guest_ledger::note(const std::string& id) {
  if (undo_.contains(id))
    return;
  const auto found = entries_.find(id);
  undo_.emplace(id, found == entries_.end() ? std::nullopt : std::optional{found->second});
}

void guest_ledger::set(std::string_view id, const std::optional<entry>& as) {
  if (const auto found = entries_.find(id); found != entries_.end()) {
    count(found->second, false);
    if (as && as->guest == found->second.guest) {
      found->second = *as;
      return count(*as, true);
    }
    const auto guest = found->second.guest; // the keys lie in it
    index(*guest, false);
    entries_.erase(found);
  }
  if (as)
    enter(*as);
}

void guest_ledger::enter(const entry& one) {
  entries_.emplace(one.guest->id, one);
  index(*one.guest, true);
  count(one, true);
}

void guest_ledger::count(const entry& one, bool add) {
  const auto& facts = one.guest->facts;
  change(sums_.guests, 1, add);
  change(sums_.disk, facts.disk, add);
  change(sums_.promised, facts, add);
  if (one.starts == 0 && !holds_memory(facts.state))
    return;
  change(sums_.running, 1, add);
  change(sums_.allocated, facts, add);
}

void guest_ledger::index(const stored_guest& guest, bool add) {
  const auto& facts = guest.facts;
  for (const auto& mac : facts.macs)
    set_owner(macs_, mac, &guest, add);
  if (facts.vnc > 0)
    set_owner(ports_, facts.vnc, &guest, add);
  if (!facts.name.empty())
    set_owner(names_, facts.name, &guest, add);
  if (const auto lower = lower_case(guest.id); lower != guest.id)
    set_owner(spellings_, lower, &guest, add);
}

} // namespace mistify::store
