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

/// Threads that share work by the leader/followers pattern: each of `leaders` sources of work has a thread that waits
/// for work and does it, the others sleep. Work that arrives while its leader is busy waits for it, which is cheaper than
/// waking another thread if work is short. A leader that stays busy too long loses its source to a follower, so that long
/// work delays other work by at most twice `patience`.
class leader_followers {
public:
  struct settings {
    std::size_t threads = 4;
    std::size_t leaders = 1;               ///< at a time, each with a source of its own; at most `threads`
    std::chrono::milliseconds patience{5}; ///< effectively up to twice this
  };

  /// Per-thread state. Only its own thread calls the public members; the watching follower reads the atomics.
  class place {
  public:
    /// Which source its thread leads: from 0, below `leaders`. Stays the same until the next turn.
    std::size_t source() const noexcept { return source_; }

    /// Marks the thread busy: the wait is over.
    void begins() noexcept;

    /// Says that the work of this turn takes long: a follower leads from now on, as after `patience`, but at once. Waking
    /// it costs some microseconds. Does nothing if the thread leads no more.
    void steps_down() noexcept;

  private:
    friend class leader_followers;
    explicit place(leader_followers& all) noexcept : all_{all} {}

    void ends() noexcept;
    bool busy() const noexcept { return rounds_.load() % 2 != 0; }

    leader_followers& all_;
    std::atomic<std::uint64_t> rounds_{0}; // odd while busy
    std::atomic<bool> leads_{false};
    std::size_t source_ = 0;
    std::uint64_t seen_ = 0; // as last seen by the watcher
  };

  /// Waits for work, calls `begins`, and does the work. Returns false after the stop; each thread ends after its
  /// turn. Must not throw.
  using turn = std::function<bool(place&)>;

  leader_followers(const settings& how, turn take);
  ~leader_followers(); ///< as `join`
  leader_followers(const leader_followers&) = delete;
  leader_followers& operator=(const leader_followers&) = delete;

  /// Waits until every thread has ended because its turn returned false.
  void join();

  /// True if no follower watches the leaders, because none was busy for a while.
  bool dozes() const noexcept { return dozing_; }

private:
  using lock = std::unique_lock<std::mutex>;

  void run();
  bool lead(place& mine); ///< waits to become a leader; false at the end
  void look_after_leaders(lock& held);
  void doze(lock& held);
  void depose_late();
  void step_down(place& mine);
  void wake_follower();
  void wake_from_doze();
  void end(const place& mine);

  const std::chrono::milliseconds patience_;
  const turn take_;
  std::mutex mutex_;
  std::condition_variable follow_, look_;
  std::vector<place*> leaders_;
  std::vector<std::size_t> free_sources_; // without a leader
  std::size_t sleeping_ = 0;              // followers, without the watching one
  int idle_looks_ = 0;                    // consecutive
  bool somebody_looks_ = false, over_ = false;
  std::atomic<bool> dozing_{false}; // the watcher sleeps until a leader is busy
  std::vector<std::thread> threads_;
};

} // namespace mistify::http
