#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/apply.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/merge_patch.hpp"
#include "store/guest_merge.hpp"
#include "store/guest_wish.hpp"
#include "store/journal_impl.hpp"
#include "store/queued_changes.hpp"

#include <utility>

// Changes of guests: what is judged and done when their jobs are queued.
namespace mistify::store {

using rpc::errc;
using rpc::failure;

namespace {

/// True for what cannot wait for the next start of a guest that runs: its disk's volume changes or goes.
bool is_at_once(std::string_view change, const rpc::json::node& wish) {
  const auto* destroys = wish.find("delete");
  return change == "resizeDisk" || (change == "detachDisk" && destroys && destroys->as_bool("delete"));
}

void expect_possible(const stored_guest& guest, std::string_view change, const rpc::json::node& wish) {
  const auto apply = rpc::apply_in(wish);
  const bool runs = holds_memory(guest.facts.state);
  if (apply == rpc::apply_when::live && !runs)
    throw failure{errc::conflict, "apply: the guest is off, so that nothing can be changed live"};
  if (apply == rpc::apply_when::next_start && runs && is_at_once(change, wish))
    throw failure{errc::conflict, "apply: of a guest that runs, this is possible at once only"};
}

/// Of the nic that is to be attached, as `expect_unique` reads it.
guest_facts facts_of_nic(const rpc::json::node& wish) {
  rpc::guest only;
  const auto* mac = wish.find("mac");
  only.nics.emplace_back().mac = mac ? mac->as_string("mac") : std::string{};
  return facts_of(only);
}

bool stays_with_agent(std::string_view member) {
  return !needs_stage(member) && member != "apply";
}

} // namespace

/// The wish is what a handler has checked; only what depends on other guests, on the state and on
/// other jobs is judged here.
void journal::impl::admit_change(const stored_guest& guest, const new_job& job, pending_changes& staged) {
  const auto change = change_of(job.action);
  if (change.empty() || job.request.empty())
    return;
  const auto document = rpc::json::document::parse(job.request);
  expect_possible(guest, change, document.root());
  if (change != "update")
    expect_possible_behind(rpc::decode_guest(guest.doc), jobs.open(guest.id), change, document.root());
  if (change == "attachNic")
    expect_unique(ledger, facts_of_nic(document.root()), {});
  if (const auto by = growth_by(guest, job.action, job.request); by && settings.limits)
    if (const auto limits = settings.limits())
      expect_room_to_grow(ledger, guest, *by, *limits);
  if (auto taken = reservation_of(guest, job.action, job.request))
    staged.reserved[job.id] = std::move(taken);
}

/// Members that no stage has to bring about are changed with the queueing: a later request sees them, and names cannot be
/// taken twice meanwhile.
guest_ptr journal::impl::apply_wish(const guest_ptr& guest, const new_job& job, pending_changes& staged) {
  if (change_of(job.action) != "update" || job.request.empty())
    return guest;
  const auto document = rpc::json::document::parse(guest->doc), wish = rpc::json::document::parse(job.request);
  const auto after = rpc::decode_guest(rpc::merge_patch(document.root(), wish.root(), stays_with_agent));
  auto changed = to_stored(after);
  if (changed->doc == guest->doc)
    return guest;
  if (changed->doc.size() > settings.bounds.guest_bytes && changed->doc.size() > guest->doc.size())
    throw failure{errc::too_large, "the guest has " + std::to_string(changed->doc.size()) + " bytes, at most " +
                                     std::to_string(settings.bounds.guest_bytes) + " are kept"};
  if (!changed->facts.name.empty() && ledger.holder_of_name(changed->facts.name, guest->id))
    throw failure{errc::conflict, "the name " + changed->facts.name + " is another guest's"};
  if (put_guest(changed, staged))
    tell_change(after, after.state, staged);
  return changed;
}

} // namespace mistify::store
