#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>

namespace mistify::store {

/// Decides which ended jobs are old enough to be pruned, by a monotonic clock, because the wall clock may be set.
/// Jobs are numbered in the order of their ends; ages restart with the process. Resolution: one second. Memory: at
/// most one entry for each second of the window.
class job_ages {
public:
  using time = std::chrono::steady_clock::time_point;

  /// Jobs younger than `young_for` are not old. Jobs up to `last` ended before this process; they count as ended at
  /// `now`.
  job_ages(std::chrono::seconds young_for, time now, std::int64_t last) : young_for_{young_for} { ended(now, last); }

  /// Records that the jobs up to that number have ended by now.
  void ended(time now, std::int64_t number) {
    if (marks_.empty() || now - marks_.back().first >= std::chrono::seconds{1})
      marks_.push_back({now, now, number});
    marks_.back().last = now;
    marks_.back().number = number;
  }

  /// Another age from now on. Jobs that are old stay old.
  void set_young_for(std::chrono::seconds young_for) noexcept { young_for_ = young_for; }

  /// Returns the highest number of an old job.
  std::int64_t last_old(time now) {
    if (young_for_ == young_for_.zero()) {
      if (!marks_.empty())
        last_old_ = marks_.back().number;
      marks_.clear();
      return std::numeric_limits<std::int64_t>::max();
    }
    for (; !marks_.empty() && marks_.front().last + young_for_ <= now; marks_.pop_front())
      last_old_ = marks_.front().number;
    return last_old_;
  }

private:
  struct mark {
    time first, last;
    std::int64_t number;
  };

  std::chrono::seconds young_for_;
  std::deque<mark> marks_;
  std::int64_t last_old_ = 0;
};

} // namespace mistify::store
