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

/// Asks the kernel without the lock, for which others would wait.
std::unique_ptr<socket_stream> connection_pool::take() {
  while (auto next = take_freshest())
    if (next->idle_and_open())
      return next;
  return nullptr;
}

std::unique_ptr<socket_stream> connection_pool::take_freshest() {
  std::vector<kept> stale; // closed when the lock is given back
  const std::lock_guard lock{mutex_};
  stale = take_stale();
  if (kept_.empty())
    return nullptr;
  auto freshest = std::move(kept_.back().link);
  kept_.pop_back();
  return freshest;
}

void connection_pool::keep(std::unique_ptr<socket_stream> used) {
  std::lock_guard lock{mutex_};
  kept_.push_back({clock::now(), std::move(used)});
}

} // namespace mistify::rpc
