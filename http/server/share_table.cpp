#include "http/server/share_table.hpp"

#include <algorithm>

namespace mistify::http {

std::optional<share_table::place> share_table::take(const std::string& key) {
  const std::size_t share = share_;
  if (share == no_bound)
    return place{nullptr, nullptr};
  const std::lock_guard lock{mutex_};
  auto& row = *rows_.try_emplace(key, 0).first;
  if (row.second >= share) {
    if (row.second == 0)
      rows_.erase(key);
    return std::nullopt;
  }
  ++row.second;
  return place{this, &row};
}

std::size_t share_table::held(const std::string& key) const {
  const std::lock_guard lock{mutex_};
  const auto found = rows_.find(key);
  return found == rows_.end() ? 0 : found->second;
}

void share_table::give_back(rows::value_type* row) {
  const std::lock_guard lock{mutex_};
  if (--row->second == 0)
    rows_.erase(rows_.find(row->first));
}

bool request_rates::admit(const std::string& key, clock::time_point now) {
  const std::size_t rate = per_second_;
  if (rate == 0)
    return true;
  const auto each = std::chrono::duration_cast<clock::duration>(std::chrono::seconds{1}) / rate;
  const std::lock_guard lock{mutex_};
  if (full_at_.size() >= look_at_)
    forget_full(now);
  auto& full = full_at_.try_emplace(key, now).first->second;
  const auto then = std::max(full, now) + each;
  if (then > now + std::chrono::seconds{1})
    return false;
  full = then;
  return true;
}

/// A key whose bucket is full is one that was never seen.
void request_rates::forget_full(clock::time_point now) {
  std::erase_if(full_at_, [&](const auto& row) { return row.second <= now; });
  if (full_at_.size() >= most_keys)
    full_at_.clear();
  look_at_ = std::max<std::size_t>(1024, std::min(2 * full_at_.size(), most_keys));
}

} // namespace mistify::http
