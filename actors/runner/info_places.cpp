#include "actors/runner/info_places.hpp"

#include <algorithm>

namespace mistify::actors {

std::shared_ptr<places> info_places::of(const std::string& runner, std::size_t width) {
  std::unique_lock lock{mutex_};
  auto& row = rows_[runner];
  auto found = row.lock();
  if (!found) {
    found = std::make_shared<places>(width, held_);
    row = found;
    forget_unused();
    return found;
  }
  lock.unlock();
  found->set_width(width);
  return found;
}

std::size_t info_places::held(const std::string& runner) const {
  std::unique_lock lock{mutex_};
  const auto row = rows_.find(runner);
  const auto found = row == rows_.end() ? nullptr : row->second.lock();
  lock.unlock();
  return found ? found->held() : 0;
}

void info_places::forget_unused() {
  if (rows_.size() < look_at_)
    return;
  std::erase_if(rows_, [](const auto& row) { return row.second.expired(); });
  look_at_ = std::max<std::size_t>(64, 2 * rows_.size());
}

} // namespace mistify::actors
