#include "http/api/event_view.hpp"

#include "http/access/visibility.hpp"

#include <utility>

namespace mistify::http {

event_view::event_view(const store::job_reader& jobs, principal_ptr who) noexcept : jobs_{jobs}, who_{std::move(who)} {}

bool event_view::sees(const store::event& what) {
  if (what.type == store::event_type::job_queued && what.text == who_->name)
    newer_.insert(what.job);
  const bool seen = sees_as(*who_, what.guest, what.labels.get()) || owns(what);
  if (what.type == store::event_type::job_ended)
    newer_.erase(what.job);
  return seen;
}

/// The audit has who queued a job. It is searched once, and again for a job that may have come since.
bool event_view::owns(const store::event& what) {
  if (what.job.empty() || who_->key.empty())
    return false;
  if (!own_ || newer_.erase(what.job) > 0)
    own_ = jobs_.queued_by(who_->key);
  return own_->contains(what.job);
}

} // namespace mistify::http
