#include "store/event_feed.hpp"

#include <algorithm>
#include <utility>

namespace mistify::store {

std::int64_t event_feed::last() const {
  const std::lock_guard lock{mutex_};
  return last_;
}

epochs_ptr event_feed::epochs() const {
  const std::lock_guard lock{mutex_};
  return epochs_;
}

std::optional<std::vector<event_ptr>> event_feed::after(std::int64_t id, std::size_t most) const {
  const std::lock_guard lock{mutex_};
  if (id >= last_)
    return std::vector<event_ptr>{};
  const auto first = last_ - static_cast<std::int64_t>(tail_.size()) + 1;
  if (id + 1 < first)
    return std::nullopt;
  const auto begin = tail_.begin() + (id + 1 - first);
  const auto left = static_cast<std::size_t>(tail_.end() - begin);
  return std::vector<event_ptr>{begin, begin + static_cast<std::ptrdiff_t>(std::min(left, most))};
}

event_feed::listener event_feed::listen(std::function<void()> told) {
  auto made = std::make_shared<const std::function<void()>>(std::move(told));
  const std::lock_guard lock{mutex_};
  listeners_.push_back(made);
  return made;
}

void event_feed::begin_behind(std::int64_t last, epochs_ptr epochs) {
  const std::lock_guard lock{mutex_};
  epochs_ = std::move(epochs);
  last_ = last;
  tail_.clear();
}

void event_feed::publish(std::vector<event> news, epochs_ptr changed) {
  if (news.empty())
    return;
  {
    const std::lock_guard lock{mutex_};
    if (changed)
      epochs_ = std::move(changed);
    last_ = news.back().id;
    const auto most = std::max(kept, news.size());
    for (auto& one : news)
      tail_.push_back(std::make_shared<const event>(std::move(one)));
    while (tail_.size() > most)
      tail_.pop_front();
  }
  for (const auto& told : listeners())
    (*told)();
}

/// Returns the living listeners. They are called without the lock, because a call may destroy other listeners.
std::vector<event_feed::listener> event_feed::listeners() {
  const std::lock_guard lock{mutex_};
  std::vector<listener> there;
  std::erase_if(listeners_, [](const auto& one) { return one.expired(); });
  for (const auto& one : listeners_)
    if (auto held = one.lock())
      there.push_back(std::move(held));
  return there;
}

} // namespace mistify::store
