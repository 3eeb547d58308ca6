#include "http/api/job_view.hpp"

#include "actors/ids.hpp"
#include "http/api/handlers/context.hpp"

namespace mistify::http {

namespace {

bool is_create(const rpc::job& job) {
  return job.action == "create" || job.action == "containerCreate" || job.action == "adopt";
}

} // namespace

job_view::job_view(const context& cx, const principal& who) noexcept : cx_{cx}, who_{who} {}

/// The ids of the jobs that the identity has queued.
const std::unordered_set<std::string>& job_view::own() {
  if (!own_)
    own_ = who_.key.empty() ? std::unordered_set<std::string>{} : cx_.jobs.queued_by(who_.key);
  return *own_;
}

/// A label says nothing about a guest that is gone: only the job that deleted it knows.
job_view::owner_ptr job_view::newest(const std::string& guest) {
  if (who_.guests->label && guest != actors::agent_runner && !cx_.guests.find(guest))
    return std::make_shared<owner>();
  return std::make_shared<owner>(owner{sees_guest(who_, cx_.guests, guest)});
}

/// Returns whose the job is. Jobs come newest first. A create or an adoption is the first job of a guest: older ones are
/// of a guest that had the id before.
job_view::owner_ptr job_view::pass(owners& all, const rpc::job& job, const rpc::metadata_map* last_labels) {
  auto& current = all[job.guest_id];
  if (!current)
    current = newest(job.guest_id);
  if (last_labels)
    current->seen = sees_as(who_, job.guest_id, last_labels);
  auto of = current;
  if (is_create(job)) {
    of->seen = of->seen.value_or(false);
    current = std::make_shared<owner>();
    if (!who_.guests->label)
      current->seen = of->seen;
  }
  return of;
}

bool job_view::sees(const rpc::job& job) {
  if (!who_.guests || own().contains(job.id))
    return true;
  if (!who_.guests->label)
    return sees_guest(who_, cx_.guests, job.guest_id);
  owners all;
  owner_ptr of;
  cx_.jobs.visit(job.guest_id, [&](const rpc::job& one, const rpc::metadata_map* last_labels) {
    const auto current = pass(all, one, last_labels);
    if (one.id == job.id)
      of = current;
    return !of || !of->seen;
  });
  return of && of->seen.value_or(false);
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

/// What may be seen depends on the creates and deletes of the same guests, so the rest of the filter counts after that.
std::vector<std::string> job_view::latest_ids(const store::job_filter& which, std::size_t wanted) {
  struct candidate {
    std::string id;
    owner_ptr of; // null: its own
    bool is_seen() const { return !of || of->seen.value_or(false); }
  };
  owners all;
  std::vector<candidate> found;
  std::size_t decided = 0, seen = 0;
  const auto& mine = own(); // not while the log is read: that takes a connection as well
  cx_.jobs.visit(which.guest, [&](const rpc::job& job, const rpc::metadata_map* last_labels) {
    auto of = pass(all, job, last_labels);
    const bool is_own = mine.contains(job.id);
    if (store::matches(which, job) && (is_own || of->seen.value_or(true)))
      found.push_back({job.id, is_own ? nullptr : std::move(of)});
    for (; decided < found.size() && (!found[decided].of || found[decided].of->seen); ++decided)
      seen += found[decided].is_seen() ? 1 : 0;
    return seen < wanted;
  });
  std::vector<std::string> ids;
  for (auto& one : found)
    if (one.is_seen() && ids.size() < wanted)
      ids.push_back(std::move(one.id));
  return ids;
}

} // namespace mistify::http
