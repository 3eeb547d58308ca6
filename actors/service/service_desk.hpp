#pragma once

#include "actors/inspect/history.hpp"
#include "actors/inspect/status.hpp"
#include "actors/metrics.hpp"
#include "actors/requests.hpp"
#include "actors/service/places.hpp"
#include "actors/service/waiting_line.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/missed_time.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mistify::actors {

/// How calls reach a sub-agent. The real one is `rpc_caller`; tests answer by hand.
class caller {
public:
  using done = std::function<void(rpc::outcome<rpc::json::document>)>;

  virtual ~caller() = default;

  /// Begins the call and returns at once. `when_done` is called exactly once, on any thread.
  virtual void start(service_call call, done when_done) = 0;
};

/// The work at one service: as many calls, downloads and jobs at a time as it has places, the rest waits in order. Work
/// begins on the thread that asks for it or gives a place back, so that it costs no message to an actor. Thread-safe;
/// answers are given once, on any thread, which they must not block.
class service_desk : public std::enable_shared_from_this<service_desk> {
public:
  using time = history::time;
  template <class T>
  using answer = std::function<void(rpc::outcome<T>)>;

  /// How often waiting calls are looked through for those whose time is over; their time-outs are this exact.
  static constexpr std::chrono::milliseconds sweep_interval{100};

  struct settings {
    std::string name;
    std::size_t max_waiting = 0; ///< beyond it work is refused
    std::function<time()> now = time::clock::now;
  };

  /// `gate` has the places.
  static std::shared_ptr<service_desk> open(settings with, std::shared_ptr<places> gate, std::shared_ptr<caller> out,
                                            const service_metrics& measured);

  /// Calls the sub-agent. Errors: those of the call, named after the service; queue_full, unavailable if its time was over
  /// before it had a place, cancelled.
  void call(service_call what, answer<rpc::json::document> told);

  /// A place for a download that runs elsewhere. Errors: queue_full, also if none is free and it may not wait.
  void lend(std::string method, std::string guest, bool may_wait, answer<lease> told);

  /// Waits for a job's place; answers its claim, which holds one then. Errors: queue_full, cancelled.
  void await_place(place_request what, answer<place_ptr> told);

  /// Who looks after the desk: calls `sweep` every `sweep_interval` from `waits` on until that returns false, calls
  /// `start_waiting` after `goes_on`, and remembers what failed. All are called on any thread. Replaces an earlier one.
  struct watcher {
    std::function<void()> waits, goes_on;
    std::function<void(std::string error, std::string job)> failed;
  };
  void attach(watcher by);

  /// Begins what waits, as long as places are free.
  void start_waiting();

  /// Answers what waited too long or is not needed any more. False if nothing waits.
  bool sweep();

  /// The agent stops: nothing begins any more, and what waits is not answered.
  void close() noexcept { closed_ = true; }

  bool busy() const;
  void tell(actor_status& to, bool in_full) const;
  const std::string& name() const noexcept { return with_.name; }

private:
  struct waiting_call {
    service_call call; // its `place` is the claim; null where it needs none
    answer<rpc::json::document> told;
    time expires; // max(): never
  };
  struct waiting_download {
    place_ptr claim;
    std::string method, guest;
    answer<lease> told;
  };
  struct waiting_job {
    place_request request;
    answer<place_ptr> told;
  };
  using work = std::variant<waiting_call, waiting_download, waiting_job>;
  /// What leaves the line: it has its place, or there is a reason why it gets none.
  struct leaving {
    work what;
    std::optional<rpc::failure> why;
  };
  /// A call or a download that has its place.
  struct in_flight {
    std::string method, guest, job;
    time since;
  };

  service_desk(settings with, std::shared_ptr<places> gate, std::shared_ptr<caller> out,
               const service_metrics& measured);

  void admit(work what);
  void put_in_line(work what); // under the mutex
  void hand_over(std::unique_lock<std::mutex> held);
  std::optional<leaving> next_in_line(); // under the mutex
  void put_off();                        // under the mutex
  std::optional<rpc::failure> why_over(const work& what, time now) const;

  void start(waiting_call what);
  void start(waiting_download what);
  static void start(waiting_job what);
  void leave(leaving one);
  void leave_or_fail(leaving one) noexcept;
  void refuse(const work& what, const rpc::failure& why) const;

  std::uint64_t note_flying(std::string method, std::string guest, std::string job = {});
  void left(std::uint64_t number, const std::string& error);

  static place_claim& claim_of(const work& what);
  static actor_status::waiting shown(const work& what);

  const settings with_;
  const std::shared_ptr<places> gate_;
  const std::shared_ptr<caller> out_;
  const service_metrics measured_;
  std::atomic<bool> closed_{false};

  mutable std::mutex mutex_; // guards the following members
  waiting_line<work> line_;
  rpc::metrics::gauge_share shown_waiting_;
  std::map<std::uint64_t, in_flight> flying_; // by number, so the oldest is first
  std::uint64_t last_number_ = 0;
  watcher watcher_;
  bool sweep_is_coming_ = false;
  rpc::missed_time missed_{sweep_interval};
  bool starting_ = false, again_ = false; // one thread at a time starts what waits, and looks again for the others
};

} // namespace mistify::actors
