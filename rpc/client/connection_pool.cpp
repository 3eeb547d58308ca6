#include "rpc/client/connection_pool.hpp"

#include <algorithm>
#include <iterator>

namespace mistify::rpc {

namespace {
/// An end that closes idle connections must not do so while we send: common limits begin at five seconds.
constexpr std::chrono::seconds fresh{1};
} // namespace

std::vector<connection_pool::kept> connection_pool::take_stale() {
  const auto oldest = clock::now() - fresh;
  const auto first_fresh = std::find_if(kept_.begin(), kept_.end(), [&](const kept& k) { return k.since > oldest; });
  std::vector<kept> stale{std::make_move_iterator(kept_.begin()), std::make_move_iterator(first_fresh)};
  kept_.erase(kept_.begin(), first_fresh);
  return stale;
}

std::unique_ptr<socket_stream> connection_pool::take() {
  std::unique_lock lock{mutex_};
  const auto stale = take_stale();
  while (!kept_.empty()) {
    auto next = std::move(kept_.back().link);
    kept_.pop_back();
    if (next->idle_and_open())
      return next;
  }
  lock.unlock(); // `stale` closes behind it
  return nullptr;
}

void connection_pool::keep(std::unique_ptr<socket_stream> used) {
  std::lock_guard lock{mutex_};
  kept_.push_back({clock::now(), std::move(used)});
}

} // namespace mistify::rpc
