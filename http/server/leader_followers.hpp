#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace mistify::http {

/// Threads that share work by the pattern of this name: as many as are leaders wait for work and do it, the others sleep.
/// Work that comes while a leader is at work waits for it, which is cheaper than to wake another thread where work is
/// short; but a leader that has not come back from a piece of work in time is no leader any more, and a follower takes
/// its place. So what takes long holds up others only for as long as `patience`.
///
/// With four threads that all waited for connections GET metrics/cpu made 26,700 requests a second, and jobs 3.5 of a third of
/// single-row commits; with one leader 32,400 and 3.9 (two cores; etc/bench.sh metrics jobs).
class leader_followers {
public:
  struct settings {
    std::size_t threads = 4;
    std::size_t leaders = 1;               ///< at a time; at most `threads`
    std::chrono::milliseconds patience{5}; ///< up to twice that
  };

  /// A thread's place among the others. Its public part is for that thread only; followers look at the rest.
  class place {
  public:
    /// The wait is over, the work begins.
    void begins() noexcept;

  private:
    friend class leader_followers;
    explicit place(leader_followers& all) noexcept : all_{all} {}

    void ends() noexcept;
    bool at_work() const noexcept { return rounds_.load() % 2 != 0; }

    leader_followers& all_;
    std::atomic<std::uint64_t> rounds_{0}; // odd at work
    std::atomic<bool> leads_{false};
    std::uint64_t seen_ = 0; // when somebody looked
  };

  /// Waits for work, says so, and does it. False where all is over: then every thread ends after its turn. Must not throw.
  using turn = std::function<bool(place&)>;

  leader_followers(const settings& how, turn take);
  ~leader_followers(); ///< as `join`
  leader_followers(const leader_followers&) = delete;
  leader_followers& operator=(const leader_followers&) = delete;

  /// Waits until every thread has ended, which a turn says.
  void join();

  /// Whether nobody looks after the leaders, since none has been at work for a while.
  bool dozes() const noexcept { return dozing_; }

private:
  using lock = std::unique_lock<std::mutex>;

  void run();
  bool lead(place& mine); ///< waits for a place among the leaders; false at the end
  void look_after_leaders(lock& held);
  void doze(lock& held);
  void depose_late();
  void wake_from_doze();
  void end(const place& mine);

  const std::chrono::milliseconds patience_;
  const turn take_;
  std::mutex mutex_;
  std::condition_variable follow_, look_;
  std::vector<place*> leaders_;
  std::size_t free_places_;
  int idle_looks_ = 0; // in a row
  bool somebody_looks_ = false, over_ = false;
  std::atomic<bool> dozing_{false}; // whoever looks, until a leader is at work
  std::vector<std::thread> threads_;
};

} // namespace mistify::http
