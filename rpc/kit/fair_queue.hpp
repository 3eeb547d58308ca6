#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

namespace mistify::rpc {

/// A bounded number of places, shared by peers. Whoever waits for a place gets it in the order of arrival, but peers that
/// hold fewer places go first, so that a peer that wants all of them holds up itself. Not thread-safe.
template <class T>
class fair_queue {
public:
  using peer_id = std::uint32_t;
  struct entry {
    peer_id peer;
    T item;
  };

  explicit fair_queue(std::size_t places) : free_{places} {}

  /// `item` waits from now on.
  void add(peer_id peer, T item) { waiting_.push_back({peer, std::move(item)}); }

  /// Gives a place to the entry whose turn it is. Null if no place is free or nothing waits.
  std::optional<entry> next() {
    const auto first = turn();
    if (free_ == 0 || first == waiting_.end())
      return std::nullopt;
    --free_;
    ++held_[first->peer];
    std::optional<entry> taken{std::move(*first)};
    waiting_.erase(first);
    return taken;
  }

  /// Takes back a place that `next` gave to an entry of `peer`.
  void leave(peer_id peer) {
    ++free_;
    if (const auto held = held_.find(peer); held != held_.end() && --held->second == 0)
      held_.erase(held);
  }

  std::size_t waiting() const noexcept { return waiting_.size(); }
  std::size_t free_places() const noexcept { return free_; }

  /// Places of a peer.
  std::size_t held_by(peer_id peer) const {
    const auto found = held_.find(peer);
    return found == held_.end() ? 0 : found->second;
  }

  /// Places of the peer whose turn is next. Only while something waits.
  std::size_t held_by_next() { return held_by(turn()->peer); }

private:
  auto turn() {
    return std::min_element(waiting_.begin(), waiting_.end(),
                            [&](const entry& a, const entry& b) { return held_by(a.peer) < held_by(b.peer); });
  }

  std::size_t free_;
  std::list<entry> waiting_; // in the order of arrival
  std::unordered_map<peer_id, std::size_t> held_;
};

} // namespace mistify::rpc
