#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mistify::actors {

/// Jobs in the order of their acceptance, of which several may run at a time, but only one of each key, and those of one
/// key in their order. Those of one group take at most half of the places, so that none holds up all others. `Work` has
/// members `key` and `group` (empty: none), and a function `held()`: a held job does not begin, and neither do those of its
/// key behind it. No I/O and no locks: belongs to one actor.
template <class Work>
class job_queue {
public:
  explicit job_queue(std::size_t places) : places_{places} {}

  /// How many may run at a time from now on. Those that run go on.
  void resize(std::size_t places) noexcept { places_ = places; }

  Work& push(Work work) { return waiting_.emplace_back(std::move(work)); }

  /// The first job that may begin; null if none may, because no place is free or its key is taken.
  Work* next() { return find(running_); }

  /// As `next`, as if the running job of that key had ended already.
  Work* next_after(std::string_view ending) {
    auto others = running_;
    drop(others, ending);
    return find(others);
  }

  /// True if a job of that key and group that is pushed now would begin at once.
  bool begins_at_once(std::string_view key, std::string_view group = {}) const {
    return waiting_.empty() && running_.size() < places_ && !runs(running_, key) && has_room(running_, group);
  }

  /// Takes a waiting job out. It has a place and its key until `ended`.
  Work take(const Work& which) {
    const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const Work& w) { return &w == &which; });
    Work work = std::move(*at);
    waiting_.erase(at);
    running_.push_back({work.key, work.group});
    return work;
  }

  /// The running job of that key is over.
  void ended(std::string_view key) { drop(running_, key); }

  // -- what waits, in order --------------------------------------------------------------------------------------
  auto begin() noexcept { return waiting_.begin(); }
  auto end() noexcept { return waiting_.end(); }
  auto begin() const noexcept { return waiting_.begin(); }
  auto end() const noexcept { return waiting_.end(); }
  bool empty() const noexcept { return waiting_.empty(); }
  std::size_t size() const noexcept { return waiting_.size(); }
  void clear() noexcept { waiting_.clear(); }
  template <class Predicate>
  void remove_if(Predicate unwanted) {
    waiting_.remove_if(unwanted);
  }

private:
  struct taken_place {
    std::string key, group;
  };
  using taken_places = std::vector<taken_place>;

  static bool runs(const taken_places& in, std::string_view key) {
    return std::ranges::find(in, key, &taken_place::key) != in.end();
  }

  static void drop(taken_places& from, std::string_view key) {
    if (const auto at = std::ranges::find(from, key, &taken_place::key); at != from.end())
      from.erase(at);
  }

  bool has_room(const taken_places& in, std::string_view group) const {
    const auto most = static_cast<std::ptrdiff_t>(std::max<std::size_t>(places_ / 2, 1));
    return group.empty() || std::ranges::count(in, group, &taken_place::group) < most;
  }

  Work* find(const taken_places& running) {
    if (running.size() >= places_)
      return nullptr;
    std::vector<std::string_view> taken; // by jobs that wait before
    for (auto& work : waiting_) {
      const bool behind = std::ranges::find(taken, work.key) != taken.end();
      if (!runs(running, work.key) && !behind && !work.held() && has_room(running, work.group))
        return &work;
      if (!behind)
        taken.push_back(work.key);
    }
    return nullptr;
  }

  std::size_t places_;
  std::list<Work> waiting_; // takes no memory while empty: there is a queue for each guest
  taken_places running_;
};

} // namespace mistify::actors
