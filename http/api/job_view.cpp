#include "http/api/job_view.hpp"

#include "http/api/handlers/context.hpp"

#include <algorithm>

namespace mistify::http {

namespace {

/// No log of jobs is longer.
constexpr std::size_t all_jobs = 100'000;

bool is_create(const rpc::job& job) {
  return job.action == "create" || job.action == "containerCreate";
}

} // namespace

job_view::job_view(const context& cx, const principal& who) noexcept : cx_{cx}, who_{who}, guests_{who, cx.guests} {}

bool job_view::is_own(const std::string& job) {
  if (who_.key.empty())
    return false;
  if (!own_)
    own_ = cx_.jobs.queued_by(who_.key);
  return own_->contains(job);
}

bool job_view::sees(const rpc::job& job) {
  if (!who_.guests || is_own(job.id))
    return true;
  if (!guests_.sees(job.guest_id))
    return false;
  auto same_guest = cx_.jobs.latest_of(job.guest_id, all_jobs);
  keep_visible(same_guest);
  return std::ranges::any_of(same_guest, [&](const rpc::job& one) { return one.id == job.id; });
}

/// A create is the first job of a guest: older ones are of a guest that had the same id before.
void job_view::keep_visible(std::vector<rpc::job>& newest_first) {
  std::unordered_set<std::string> complete;
  std::erase_if(newest_first, [&](const rpc::job& job) {
    const bool former = complete.contains(job.guest_id);
    if (is_create(job))
      complete.insert(job.guest_id);
    return (former || !guests_.sees(job.guest_id)) && !is_own(job.id);
  });
}

/// What may be seen depends on the creates of the same guests, so the rest of the filter counts after that.
std::vector<rpc::job> job_view::latest(const store::job_filter& which, std::size_t wanted) {
  if (!who_.guests)
    return cx_.jobs.latest(which, wanted);
  const store::job_filter same_guest{.guest = which.guest, .action = {}};
  for (auto page = std::max<std::size_t>(wanted, 1000);; page *= 4) {
    auto jobs = cx_.jobs.latest(same_guest, std::min(page, all_jobs));
    const bool all = jobs.size() < page || page >= all_jobs;
    keep_visible(jobs);
    std::erase_if(jobs, [&](const rpc::job& job) { return !store::matches(which, job); });
    if (jobs.size() > wanted)
      jobs.resize(wanted);
    if (all || jobs.size() == wanted)
      return jobs;
  }
}

} // namespace mistify::http
