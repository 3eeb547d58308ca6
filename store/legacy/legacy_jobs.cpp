#include "store/legacy/legacy_jobs.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace mistify::store {

namespace {

using rpc::json::node;

[[noreturn]] void refuse(const std::string& why) {
  throw rpc::failure{rpc::errc::invalid_request, why};
}

std::string text_of(const node& job, std::string_view name) {
  const auto* found = job.find(name);
  return found ? found->as_string(name) : std::string{};
}

rpc::timestamp time_of(const node& job, std::string_view name) {
  const auto text = text_of(job, name);
  if (text.empty())
    return {};
  const auto at = rpc::decode_timestamp(text);
  if (!at)
    refuse(std::string{name} + ": is no time");
  return *at;
}

rpc::job_status status_of(const node& job) {
  const auto status = rpc::job_status_from(text_of(job, "Status"));
  if (!status)
    refuse("Status: is none");
  return *status;
}

rpc::job read_job(const node& from, std::string_view guest_id) {
  if (from.type() != node::kind::object)
    refuse("must be an object");
  rpc::job job;
  job.id = text_of(from, "ID");
  if (job.id.empty())
    refuse("ID: is missing");
  job.guest_id = text_of(from, "GuestID");
  if (job.guest_id.empty())
    job.guest_id = guest_id;
  job.action = text_of(from, "Action");
  job.queued_at = time_of(from, "QueuedAt");
  job.started_at = time_of(from, "StartedAt");
  job.updated_at = time_of(from, "UpdatedAt");
  job.status = status_of(from);
  job.message = text_of(from, "Message");
  if (job.status == rpc::job_status::error)
    job.code = rpc::job_code::failed;
  return job;
}

} // namespace

std::optional<rpc::job> legacy_jobs::read_entry(const node& entry, std::string_view guest_id, broken_row place) {
  try {
    auto job = read_job(entry, guest_id);
    if (!ids_.insert(job.id).second)
      refuse("ID: is that of another job");
    return job;
  } catch (const rpc::failure& error) {
    place.value = entry.text();
    place.reason = error.message();
    broken_.push_back(std::move(place));
    return std::nullopt;
  }
}

void legacy_jobs::read(const std::string& bucket, const std::string& key, std::string_view guest_id,
                       const std::string& value) {
  std::vector<rpc::job> log;
  try {
    const auto text = rpc::json::document::parse(value);
    const auto entries = text.root().items("jobs");
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (auto job = read_entry(entries[i], guest_id, {bucket, key + '[' + std::to_string(i) + ']', "", ""}))
        log.push_back(*std::move(job));
  } catch (const rpc::failure& error) {
    broken_.push_back({bucket, key, value, error.message()});
  }
  if (!guest_id.empty())
    std::ranges::reverse(log);
  logs_ += log.empty() ? 0 : 1;
  std::ranges::move(log, std::back_inserter(jobs_));
}

std::vector<rpc::job> legacy_jobs::in_order() && {
  // A single log is in order already, even if the clock was set back.
  if (logs_ > 1)
    std::ranges::stable_sort(jobs_, {}, &rpc::job::queued_at);
  return std::move(jobs_);
}

} // namespace mistify::store
