#include "actors/guests/power_policy.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds longest_pause = 60s;
/// Until a start is tried again that was refused for now: in maintenance, or by a full disk.
constexpr std::chrono::seconds later = 30s;

/// Two actors tell of a job: its end may be told first.
constexpr std::size_t most_early = 64;

/// 1, 2, 4 … 60 s.
std::chrono::seconds pause_after(std::size_t starts) {
  constexpr std::size_t doublings = 6;
  return std::min(longest_pause, std::chrono::seconds{1LL << std::min(starts, doublings)});
}

} // namespace

// -- boot --------------------------------------------------------------------------------------------------------

void power_policy::booted(std::vector<boot_start> guests, time now) {
  std::ranges::sort(guests, [](const boot_start& a, const boot_start& b) {
    return std::tie(a.order, a.guest) < std::tie(b.order, b.guest);
  });
  boot_.assign(guests.begin(), guests.end());
  booting_.clear();
  for (const auto& one : boot_)
    booting_.insert(one.guest);
  boot_out_ = false;
  boot_due_.reset();
  if (!boot_.empty())
    boot_due_ = now + boot_.front().delay;
}

void power_policy::go_on_with_boot(time now) {
  booting_.erase(boot_.front().guest);
  boot_.pop_front();
  boot_out_ = false;
  boot_due_.reset();
  if (!boot_.empty())
    boot_due_ = now + boot_.front().delay;
}

// -- guests that went off ------------------------------------------------------------------------------------------

void power_policy::went_off(const std::string& guest, const rpc::power_rules& rules, time now) {
  if (booting_.contains(guest))
    return;
  auto& row = restarts_[guest];
  if (row.due || row.gave_up)
    return;
  while (!row.starts.empty() && row.starts.front() + rules.within <= now)
    row.starts.pop_front();
  if (row.starts.size() < rules.max) {
    row.due = now + pause_after(row.starts.size());
    return;
  }
  row.gave_up = true;
  news_.push_back({task::kind::tell, guest,
                   "stays off: " + std::to_string(row.starts.size()) + " restarts within " +
                     std::to_string(rules.within.count()) + " s"});
}

void power_policy::forget(const std::string& guest) {
  restarts_.erase(guest);
  std::erase_if(jobs_, [&](const auto& row) { return row.second == guest; });
}

// -- tasks -------------------------------------------------------------------------------------------------------

std::vector<power_policy::task> power_policy::due(time now) {
  auto tasks = std::exchange(news_, {});
  if (boot_due_ && *boot_due_ <= now) {
    boot_due_.reset();
    boot_out_ = true;
    tasks.push_back({task::kind::start_by_boot, boot_.front().guest});
  }
  for (auto& [guest, row] : restarts_)
    if (row.due && *row.due <= now) {
      row.due.reset();
      row.starts.push_back(now);
      tasks.push_back({task::kind::restart, guest});
    }
  return tasks;
}

std::optional<power_policy::time> power_policy::next() const {
  if (!news_.empty())
    return time::min();
  auto first = boot_due_;
  for (const auto& [guest, row] : restarts_)
    if (row.due && (!first || *row.due < *first))
      first = row.due;
  return first;
}

void power_policy::queued(const std::string& guest, const std::string& job, time now) {
  jobs_[job] = guest;
  if (std::ranges::find(early_, job) != early_.end())
    ended(job, now);
}

void power_policy::refused(const std::string& guest, time now) {
  if (is_booting(guest))
    go_on_with_boot(now);
  else
    restarts_.erase(guest);
}

void power_policy::put_off(const task& what, time now) {
  if (what.what == task::kind::start_by_boot && is_booting(what.guest)) {
    boot_out_ = false;
    boot_due_ = now + later;
  } else if (const auto row = restarts_.find(what.guest); row != restarts_.end()) {
    row->second.due = now + later;
    if (!row->second.starts.empty())
      row->second.starts.pop_back(); // it was no start
  }
}

std::optional<std::string> power_policy::ended(const std::string& job, time now) {
  const auto found = jobs_.extract(job);
  if (!found) {
    early_.push_back(job);
    if (early_.size() > most_early)
      early_.pop_front();
    return std::nullopt;
  }
  if (is_booting(found.mapped()))
    go_on_with_boot(now);
  return found.mapped();
}

} // namespace mistify::actors
