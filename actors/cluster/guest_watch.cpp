#include "actors/cluster/guest_watch.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace mistify::actors::cluster {

namespace {

constexpr std::size_t most_jobs = 20; // of a guest, among which the running one is looked for

std::string text_of(const rpc::json::node& in, std::string_view member) {
  const auto* value = in.find(member);
  return value && value->type() == rpc::json::node::kind::string ? value->as_string(member) : std::string{};
}

} // namespace

bool guest_watch::refresh() {
  if (seen_ < 0) {
    read_all();
    return true;
  }
  bool changed = false;
  for (;;) {
    const auto news = events_.after(seen_, store::event_feed::kept);
    if (!news) { // more than memory keeps
      read_all();
      return true;
    }
    if (news->empty())
      return changed;
    std::set<std::string> ids;
    for (const auto& one : *news)
      if (!one->guest.empty())
        ids.insert(one->guest);
    for (const auto& id : ids)
      changed = read(id) || changed;
    seen_ = news->back()->id;
  }
}

/// The number of the last event comes first: what happens meanwhile is read again.
void guest_watch::read_all() {
  const auto last = events_.last();
  guest_states all;
  for (const auto& guest : guests_.all())
    all.emplace(guest->id, state_of(*guest));
  states_ = std::move(all);
  seen_ = last;
}

bool guest_watch::read(const std::string& id) {
  const auto guest = guests_.find(id);
  if (!guest)
    return states_.erase(id) > 0;
  auto now = state_of(*guest);
  auto& known = states_[id];
  if (known == now)
    return false;
  known = std::move(now);
  return true;
}

guest_state guest_watch::state_of(const store::stored_guest& guest) const {
  guest_state out;
  const auto document = rpc::json::document::parse(guest.doc);
  out.state = text_of(document.root(), "state");
  out.reason = text_of(document.root(), "state_reason");
  const auto jobs = jobs_.latest_of(guest.id, most_jobs);
  auto shown = std::ranges::find(jobs, rpc::job_status::running, &rpc::job::status);
  if (shown == jobs.end())
    shown = std::ranges::find_if(jobs, [](const rpc::job& j) { return rpc::has_ended(j.status); });
  if (shown == jobs.end())
    shown = jobs.begin();
  if (shown != jobs.end())
    out.job = shown->id;
  return out;
}

} // namespace mistify::actors::cluster
