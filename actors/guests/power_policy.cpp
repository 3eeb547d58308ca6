#include "actors/guests/power_policy.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <tuple>
#include <utility>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds longest_pause = 60s;
/// Until a start is tried again that was refused for now: in maintenance, or by a full disk.
constexpr std::chrono::seconds later = 5s;

/// The answer to a start and the event of its end come from two actors, in either order.
constexpr std::size_t most_early = 64;

/// 1, 2, 4 … 60 s.
std::chrono::seconds pause_after(std::size_t failures) {
  constexpr std::size_t doublings = 6;
  return std::min(longest_pause, std::chrono::seconds{1LL << std::min(failures, doublings)});
}

/// How long a guest has to run until it counts as well: longer than the longest pause even if its window is short, or it
/// could crash for ever with the shortest.
std::chrono::seconds long_run(std::chrono::seconds within) {
  return std::max(within, longest_pause);
}

} // namespace

// -- boot --------------------------------------------------------------------------------------------------------

void power_policy::booted(std::vector<boot_start> guests, time now) {
  std::ranges::sort(guests, [](const boot_start& a, const boot_start& b) {
    return std::make_tuple(a.job.empty(), a.order, std::string_view{a.guest}) <
           std::make_tuple(b.job.empty(), b.order, std::string_view{b.guest});
  });
  boot_.assign(guests.begin(), guests.end());
  booting_.clear();
  for (const auto& one : boot_)
    booting_.insert(one.guest);
  set_boot_due(now);
}

void power_policy::set_boot_due(time now) {
  boot_out_ = false;
  boot_due_.reset();
  if (!boot_.empty())
    boot_due_ = boot_.front().job.empty() ? now + boot_.front().delay : now;
}

void power_policy::go_on_with_boot(time now) {
  booting_.erase(boot_.front().guest);
  boot_.pop_front();
  set_boot_due(now);
}

void power_policy::drop_boot_start(const std::string& guest, time now) {
  if (!booting_.contains(guest))
    return;
  if (boot_.front().guest == guest)
    return go_on_with_boot(now);
  booting_.erase(guest);
  std::erase_if(boot_, [&](const boot_start& one) { return one.guest == guest; });
}

// -- guests that went off ------------------------------------------------------------------------------------------

void power_policy::enter(records::value_type& row, phase next, time until) {
  auto& [guest, one] = row;
  if (one.is != phase::idle)
    timers_.erase({one.until, guest});
  pausing_ -= static_cast<std::size_t>(one.is == phase::pausing);
  pausing_ += static_cast<std::size_t>(next == phase::pausing);
  one.is = next;
  one.until = until;
  if (next != phase::idle)
    timers_.emplace(until, guest);
}

void power_policy::went_off(const std::string& guest, const rpc::power_rules& rules, time now) {
  if (booting_.contains(guest))
    return;
  auto& row = *restarts_.try_emplace(guest).first;
  auto& one = row.second;
  if (one.is == phase::pausing)
    return;
  enter(row, phase::idle);
  if (one.gave_up)
    return;
  one.within = rules.within;
  while (!one.starts.empty() && one.starts.front() + rules.within <= now)
    one.starts.pop_front();
  if (one.starts.size() < rules.max)
    return enter(row, phase::pausing, now + pause_after(one.failures));
  one.gave_up = true;
  news_.push_back({task::kind::tell, guest,
                   "stays off: " + std::to_string(one.starts.size()) + " restarts within " +
                     std::to_string(rules.within.count()) + " s"});
}

void power_policy::boot_start_failed(const std::string& guest, const rpc::power_rules& rules, time now) {
  restarts_[guest].owed = true;
  went_off(guest, rules, now);
}

void power_policy::came_on(const std::string& guest, time now) {
  const auto row = restarts_.find(guest);
  if (row == restarts_.end() || row->second.is == phase::up)
    return;
  row->second.owed = false;
  enter(*row, phase::up, now + long_run(row->second.within));
}

void power_policy::drop_restart(const std::string& guest) {
  const auto row = restarts_.find(guest);
  if (row == restarts_.end())
    return;
  enter(*row, phase::idle);
  restarts_.erase(row);
}

void power_policy::forget(const std::string& guest, time now) {
  drop_restart(guest);
  std::erase_if(jobs_, [&](const auto& row) { return row.second == guest; });
  drop_boot_start(guest, now);
}

void power_policy::wished_by_client(const std::string& guest, time now) {
  drop_restart(guest);
  if (!is_booting(guest))
    drop_boot_start(guest, now);
}

// -- tasks -------------------------------------------------------------------------------------------------------

std::vector<power_policy::task> power_policy::due(time now) {
  auto tasks = std::exchange(news_, {});
  while (boot_due_ && *boot_due_ <= now) {
    boot_due_.reset();
    boot_out_ = true;
    const auto first = boot_.front();
    if (first.job.empty())
      tasks.push_back({task::kind::start_by_boot, first.guest});
    else if (auto ended = queued(first.guest, first.job, now)) // then the next one is due
      tasks.push_back({task::kind::look, std::move(ended->guest)});
  }
  std::ranges::move(due_restarts(now), std::back_inserter(tasks));
  return tasks;
}

std::vector<power_policy::task> power_policy::due_restarts(time now) {
  std::vector<task> tasks;
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto& row = *restarts_.find(timers_.begin()->second);
    if (row.second.is == phase::up) {
      drop_restart(std::string{row.first});
      continue;
    }
    enter(row, phase::idle);
    row.second.starts.push_back(now);
    ++row.second.failures;
    tasks.push_back({task::kind::restart, row.first, {}, row.second.owed});
  }
  return tasks;
}

std::optional<power_policy::time> power_policy::next() const {
  if (!news_.empty())
    return time::min();
  if (timers_.empty() || (boot_due_ && *boot_due_ < timers_.begin()->first))
    return boot_due_;
  return timers_.begin()->first;
}

std::optional<power_policy::ended_start> power_policy::queued(const std::string& guest, const std::string& job,
                                                              time now) {
  jobs_[job] = guest;
  return std::ranges::find(early_, job) == early_.end() ? std::nullopt : ended(job, now);
}

void power_policy::refused(const std::string& guest, time now) {
  if (is_booting(guest))
    go_on_with_boot(now);
  else
    drop_restart(guest);
}

void power_policy::put_off(const task& what, time now) {
  if (what.what == task::kind::start_by_boot && is_booting(what.guest)) {
    boot_out_ = false;
    boot_due_ = now + later;
  } else if (const auto row = restarts_.find(what.guest); row != restarts_.end()) {
    auto& one = row->second;
    enter(*row, phase::pausing, now + later);
    if (!one.starts.empty())
      one.starts.pop_back(); // it was no start
    one.failures -= std::min<std::size_t>(one.failures, 1);
  }
}

std::optional<power_policy::ended_start> power_policy::ended(const std::string& job, time now) {
  const auto found = jobs_.extract(job);
  if (!found) {
    early_.push_back(job);
    if (early_.size() > most_early)
      early_.pop_front();
    return std::nullopt;
  }
  auto& guest = found.mapped();
  const auto row = restarts_.find(guest);
  const bool by_boot = is_booting(guest);
  if (by_boot)
    go_on_with_boot(now);
  return ended_start{guest, by_boot || (row != restarts_.end() && row->second.owed)};
}

} // namespace mistify::actors
