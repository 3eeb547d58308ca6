#include "rpc/base/error.hpp"
#include "store/admission.hpp"
#include "store/guest_tag.hpp"
#include "store/guest_wish.hpp"
#include "store/journal_impl.hpp"

#include <utility>

// The host: maintenance, and which guests it has room for.
namespace mistify::store {

using rpc::errc;
using rpc::failure;

void journal::impl::load_ledger() {
  for (const auto& left : jobs.unfinished()) {
    if (starts_guest(left.job.action))
      ledger.count_start(left.job.guest_id, 1);
    if (const auto guest = published.find(left.job.guest_id))
      ledger.reserve(left.job.id, reservation_of(*guest, left.job.action, left.request));
  }
  ledger.commit();
  if (!settings.host)
    return;
  settings.host->put_tag_key(tag_key);
  settings.host->put(ledger.sums());
  settings.host->put(maintenance);
}

/// Guests first: the start of a guest that the step has deleted counts no more.
void journal::impl::count(const pending_changes& staged) {
  for (const auto& [id, guest] : staged.guests)
    guest ? ledger.put(guest) : ledger.erase(id);
  for (const auto& [id, by] : staged.starts)
    ledger.count_start(id, by);
  for (const auto& [job, what] : staged.reserved)
    ledger.reserve(job, what);
}

maintenance journal::impl::maintenance_now() const {
  return pending.maintenance.value_or(maintenance);
}

void journal::impl::expect_match(const stored_guest& guest, std::string_view if_match) const {
  if (!if_match.empty())
    store::expect_match(if_match, guest_tag(guest.doc, tag_key));
}

void journal::impl::expect_no_maintenance() const {
  const auto now = maintenance_now();
  if (now.on)
    throw failure{errc::unavailable,
                  "the host is in maintenance" + (now.reason.empty() ? std::string{} : ": " + now.reason)};
}

void journal::impl::admit_create(const stored_guest& guest) const {
  expect_no_maintenance();
  expect_unique(ledger, guest.facts, guest.id);
  if (!settings.limits)
    return;
  if (const auto limits = settings.limits())
    expect_room_for(ledger, guest.facts, *limits);
}

void journal::impl::admit_job(const stored_guest& guest, const new_job& job) const {
  if (is_start(job.action))
    expect_no_maintenance();
  if (!starts_guest(job.action) || ledger.is_allocated(guest.id) || !settings.limits)
    return;
  if (const auto limits = settings.limits())
    expect_room_to_run(ledger, guest, *limits);
}

maintenance journal::set_maintenance(maintenance wanted) {
  return impl_->step([&](pending_changes& staged) {
    const auto before = impl_->maintenance_now();
    if (!wanted.on)
      wanted = {};
    else
      wanted.since = before.on ? before.since : impl_->settings.now();
    impl_->host.put(wanted);
    staged.maintenance = wanted;
    return wanted;
  });
}

} // namespace mistify::store
