#include "http/api/job_view.hpp"

#include "http/api/handlers/context.hpp"

namespace mistify::http {

namespace {

bool is_create(const rpc::job& job) {
  return job.action == "create" || job.action == "containerCreate" || job.action == "adopt";
}

} // namespace

job_view::job_view(const context& cx, const principal& who) noexcept : cx_{cx}, who_{who}, guests_{who, cx.guests} {}

/// The ids of the jobs that the identity has queued.
const std::unordered_set<std::string>& job_view::own() {
  if (!own_)
    own_ = who_.key.empty() ? std::unordered_set<std::string>{} : cx_.jobs.queued_by(who_.key);
  return *own_;
}

/// A create or an adoption is the first job of a guest: older ones are of a guest that had the same id before.
bool job_view::sees(const rpc::job& job) {
  if (!who_.guests || own().contains(job.id))
    return true;
  if (!guests_.sees(job.guest_id))
    return false;
  bool found = false;
  cx_.jobs.visit(job.guest_id, [&](const rpc::job& one) {
    found = one.id == job.id;
    return !found && !is_create(one);
  });
  return found;
}

std::vector<rpc::job> job_view::latest(const store::job_filter& which, std::size_t wanted) {
  if (!who_.guests)
    return cx_.jobs.latest(which, wanted);
  std::vector<rpc::job> jobs;
  for (const auto& id : latest_ids(which, wanted))
    if (auto job = cx_.jobs.find(id)) // else pruned meanwhile
      jobs.push_back(*std::move(job));
  return jobs;
}

/// What may be seen depends on the creates of the same guests, so the rest of the filter counts after that.
std::vector<std::string> job_view::latest_ids(const store::job_filter& which, std::size_t wanted) {
  std::vector<std::string> ids;
  std::unordered_set<std::string> complete; // guests whose create was passed
  const auto& mine = own();                 // not while the log is read: that takes a connection as well
  cx_.jobs.visit(which.guest, [&](const rpc::job& job) {
    const bool former = complete.contains(job.guest_id);
    if (is_create(job))
      complete.insert(job.guest_id);
    const bool visible = mine.contains(job.id) || (!former && guests_.sees(job.guest_id));
    if (visible && store::matches(which, job) && ids.size() < wanted)
      ids.push_back(job.id);
    return ids.size() < wanted;
  });
  return ids;
}

} // namespace mistify::http
