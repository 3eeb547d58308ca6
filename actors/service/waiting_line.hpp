#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <list>
#include <map>
#include <utility>

namespace mistify::actors {

/// The work that waits for a place at a service. Jobs and other calls take turns in the order in which they came, so that
/// neither starves the other. The turns of the jobs go to the jobs in the order of their acceptance. No I/O and no lock
/// of its own.
template <class Work>
class waiting_line {
public:
  void push(Work work) { others_.push_back({++last_turn_, std::move(work)}); }

  /// `accepted` orders the jobs; no two jobs have the same.
  void push_job(std::int64_t accepted, Work work) {
    jobs_.emplace(accepted, std::move(work));
    job_turns_.push_back(++last_turn_);
  }

  /// The work whose turn it is; null if none is. While jobs are held, others pass them.
  Work* front(bool jobs_are_held) {
    if (jobs_are_next(jobs_are_held))
      return &jobs_.begin()->second;
    return others_.empty() ? nullptr : &others_.front().work;
  }

  /// Takes out what `front` returns; there must be one.
  Work pop(bool jobs_are_held) {
    if (jobs_are_next(jobs_are_held)) {
      job_turns_.pop_front();
      return std::move(jobs_.extract(jobs_.begin()).mapped());
    }
    Work next = std::move(others_.front().work);
    others_.pop_front();
    return next;
  }

  /// Takes out what is no longer wanted; `unwanted` may move from what it says yes to. The jobs that stay keep the first
  /// turns.
  template <class Predicate>
  void drop_if(Predicate unwanted) {
    std::erase_if(others_, [&](turn& one) { return unwanted(one.work); });
    for (auto at = jobs_.begin(); at != jobs_.end();)
      at = unwanted(at->second) ? jobs_.erase(at) : std::next(at);
    job_turns_.resize(jobs_.size());
  }

  /// Calls `f(const Work&)` for each in the order of the turns, until it returns false.
  template <class F>
  void visit(F f) const {
    auto job_turn = job_turns_.begin();
    auto job = jobs_.begin();
    auto other = others_.begin();
    while (job != jobs_.end() || other != others_.end()) {
      const bool is_job = other == others_.end() || (job != jobs_.end() && *job_turn < other->number);
      if (!f(is_job ? job->second : other->work))
        return;
      if (is_job)
        ++job, ++job_turn;
      else
        ++other;
    }
  }

  std::size_t size() const noexcept { return jobs_.size() + others_.size(); }
  bool empty() const noexcept { return size() == 0; }

private:
  struct turn {
    std::uint64_t number;
    Work work;
  };

  bool jobs_are_next(bool held) const noexcept {
    return !held && !jobs_.empty() && (others_.empty() || job_turns_.front() < others_.front().number);
  }

  std::uint64_t last_turn_ = 0;
  std::list<turn> others_;
  std::multimap<std::int64_t, Work> jobs_;
  std::deque<std::uint64_t> job_turns_; // ascending, as many as there are jobs
};

} // namespace mistify::actors
