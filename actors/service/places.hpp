#pragma once

#include "rpc/base/metrics.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace mistify::actors {

class places;

/// A claim to one place of a service: it waits for a place or holds one. Its destructor gives the place back. Thread-safe.
class place_claim {
public:
  place_claim(std::shared_ptr<places> of, bool holds) : of_{std::move(of)}, holds_{holds} {}
  ~place_claim();
  place_claim(const place_claim&) = delete;
  place_claim& operator=(const place_claim&) = delete;

  bool holds() const;

  /// Takes a free place for a claim that waits; the caller decides whose turn it is. Returns false if no place is free.
  bool take();

  /// Keeps a held place for the next call of the same job. Returns false if others wait for one, or there are fewer now.
  bool keep();

  /// Ends the claim now. Returns what wakes those who wait for its place, to be called as the last thing; may be empty.
  std::function<void()> end();

  const places& of() const noexcept { return *of_; }

private:
  const std::shared_ptr<places> of_;
  bool holds_; // guarded by the mutex of `of_`, as is the next
  bool over_ = false;
};
using place_ptr = std::shared_ptr<place_claim>;

/// Drops a copy of a claim. If it was the last one, its place is free then, and what `place_claim::end` returns is
/// returned.
std::function<void()> drop(place_ptr claim);

/// Keeps the jobs that wait from their places while a copy exists.
using job_hold = std::shared_ptr<const void>;

/// The places for calls at one service, or of one runner. All who call share them, so that a free place costs no message.
/// Outlives actors: calls that are out keep their places when one is replaced. Thread-safe.
class places : public std::enable_shared_from_this<places> {
public:
  explicit places(std::size_t width) : width_{width} {}
  places(std::size_t width, rpc::metrics::gauge& held) : width_{width}, shown_{held} {}

  /// Claims a place. The claim holds it at once if one is free and no other claim waits.
  place_ptr claim();

  /// As `claim`, for a job: it also waits while jobs are held.
  place_ptr claim_for_job();

  /// For work that does not wait. Null if a claim waits or no place is free.
  place_ptr claim_free();

  /// For work that others must not wait for. Null if a claim waits or no place stays free (of one place: if it is taken).
  place_ptr claim_spare();

  /// Holds the jobs. After a restart all of them ask for their places before any gets one: the oldest is to be first.
  job_hold hold_jobs();
  bool holds_jobs() const;

  /// `wake` is called, on any thread, when a place becomes free or jobs are not held any more, and a claim waits. It is
  /// not called again before `woken`. Replaces an earlier one.
  void on_free(std::function<void()> wake);
  void woken();

  /// Of fewer places than are held, those that are given back are not taken again. Wakes as a free place does.
  void set_width(std::size_t width);
  std::size_t width() const;
  std::size_t held() const;

private:
  friend class place_claim;

  place_ptr claim_unless(bool jobs_wait);
  std::function<void()> end_claim(bool holds); // under the mutex
  void release_jobs();
  std::function<void()> wake_up();

  mutable std::mutex mutex_; // guards the following members
  std::size_t width_;
  std::size_t held_ = 0, waiting_ = 0, job_holds_ = 0;
  bool waking_ = false;
  std::function<void()> wake_;
  rpc::metrics::gauge_share shown_;
};

} // namespace mistify::actors
