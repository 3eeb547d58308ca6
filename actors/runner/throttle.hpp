#pragma once

#include "actors/inspect/status.hpp"
#include "rpc/base/metrics.hpp"

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <utility>

namespace mistify::actors {

/// What became of work that asked to run.
enum class admission : unsigned char { runs, waits, refused };

/// Lets a bounded number of things run at a time; the rest waits in order, up to a second bound. No thread of its own
/// and no locks: it belongs to one actor.
template <class Work>
class throttle {
public:
  throttle(std::size_t width, std::size_t max_waiting) : width_{width}, max_waiting_{max_waiting} {}

  /// What runs and what waits here is added to these gauges, which outlive this.
  throttle(std::size_t width, std::size_t max_waiting, rpc::metrics::gauge& running, rpc::metrics::gauge& waiting)
    : width_{width}, max_waiting_{max_waiting}, shown_running_{running}, shown_waiting_{waiting} {}

  /// Takes a place if there is one, and `work` is left to the caller to start; else keeps it to wait; else refuses.
  admission enter(Work& work) {
    if (running_ < width_ && waiting_.empty()) {
      ++running_;
      show();
      return admission::runs;
    }
    if (waiting_.size() >= max_waiting_)
      return admission::refused;
    waiting_.push_back(std::move(work));
    show();
    return admission::waits;
  }

  /// Gives a place back. What waited longest gets it, and is returned for the caller to start; nothing if too many run.
  std::optional<Work> leave() {
    --running_;
    return next();
  }

  /// New bounds. What runs or waits beyond them goes on; `next` returns what finds a place now.
  void resize(std::size_t width, std::size_t max_waiting) noexcept {
    width_ = width;
    max_waiting_ = max_waiting;
  }

  /// What waited longest, for the caller to start, if there is a place for it.
  std::optional<Work> next() {
    std::optional<Work> found;
    if (!waiting_.empty() && running_ < width_) {
      found.emplace(std::move(waiting_.front()));
      waiting_.pop_front();
      ++running_;
    }
    show();
    return found;
  }

  /// For people who look inside.
  actor_status::level level(std::string name) const {
    return {std::move(name), running_, width_, waiting_.size(), max_waiting_};
  }

  /// What waits, in order.
  const std::list<Work>& queue() const noexcept { return waiting_; }

  std::size_t running() const noexcept { return running_; }
  std::size_t waiting() const noexcept { return waiting_.size(); }
  bool idle() const noexcept { return running_ == 0 && waiting_.empty(); }

private:
  void show() noexcept {
    shown_running_.set(running_);
    shown_waiting_.set(waiting_.size());
  }

  std::size_t width_, max_waiting_;
  std::size_t running_ = 0;
  std::list<Work> waiting_; // a list takes no memory while empty: there are some throttles a guest
  rpc::metrics::gauge_share shown_running_, shown_waiting_;
};

} // namespace mistify::actors
