#include "http/api/snapshot_names.hpp"

#include <algorithm>
#include <utility>

namespace mistify::http {

std::string snapshot_names::next(const std::string& guest, seconds now, const std::function<std::string()>& suffix) {
  auto name = "snap-" + std::to_string(now.time_since_epoch().count());
  const std::lock_guard lock{mutex_};
  if (const auto latest = std::exchange(latest_before_, nullptr))
    given_until_ = latest();
  return is_new(guest, now) ? name : name + '-' + suffix();
}

bool snapshot_names::is_new(const std::string& guest, seconds now) {
  if (now > current_) {
    given_until_ = std::max(given_until_, std::exchange(current_, now));
    guests_.clear();
  }
  return now > given_until_ && guests_.insert(guest).second;
}

} // namespace mistify::http
