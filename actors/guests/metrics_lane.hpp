#pragma once

#include "actors/config/config.hpp"
#include "actors/guests/guest_metrics_cache.hpp"
#include "store/guest_index.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mistify::actors {

/// A pipeline of the config that fetches one kind of metrics.
struct metrics_question {
  figure_kind kind;
  action_ptr what;
  bool of_containers = true, of_others = true; ///< the guests that it is for

  bool is_for(const store::stored_guest& guest) const { return guest.type == "container" ? of_containers : of_others; }
};

/// Returns the configured questions by the service of their first stage.
std::map<std::string, std::vector<metrics_question>> metrics_questions(const config& settings);

/// Decides which guests a service is asked about, and when. A wish starts a round over all guests, unless one is running
/// or began recently; there are no rounds without wishes. A round sends a few requests at a time and waits for all their
/// answers. A service without a free slot is asked again after a pause; one that does not respond in time is left alone
/// until the next round. A round that takes too long ends, and the next one continues at the same guest.
///
/// A plain state machine: the owner sends the requests, tells the answers and calls again when `due` says so.
class metrics_lane {
public:
  using time = std::chrono::steady_clock::time_point;

  struct request {
    store::guest_ptr guest;
    metrics_question about;
  };

  /// How a request ended; the last one is the worst.
  enum class ending : std::uint8_t {
    done,     ///< with metrics, or the guest has none
    busy,     ///< the service has no slot to spare
    hopeless, ///< the service does not respond
  };

  void want() noexcept { wanted_ = true; }

  /// True if `begin` is to be called now.
  bool begins(time now) const noexcept { return wanted_ && !running_ && now >= next_; }

  /// `width`: the number of requests at a time, at least 1.
  void begin(time now, std::vector<store::guest_ptr> guests, std::vector<metrics_question> questions,
             std::size_t width);

  /// Returns the requests to send now, which belong to `batch`. Empty: none.
  std::vector<request> next(time now);

  /// Names the latest requests.
  std::uint64_t batch() const noexcept { return batch_; }

  /// One of the requests of `batch` has ended. Requests that were given up do not count any more.
  void ended(std::uint64_t batch, ending how, time now);

  /// Ends the round if requests have not been answered by their deadline, and returns true then.
  bool give_up(time now);

  /// When to call `begins`, `next` and `give_up` although no request has ended; null: not at all.
  std::optional<time> due() const noexcept;

  bool is_running() const noexcept { return running_; }
  std::size_t in_flight() const noexcept { return open_; } ///< requests without an answer
  time asked_at() const noexcept { return asked_at_; }     ///< of the latest batch

private:
  void fill();
  void settle(time now);
  void end() noexcept;

  bool wanted_ = false, running_ = false;
  time next_{};          // no round begins earlier
  time until_{};         // of the round
  time resume_at_{};     // no batch is sent earlier
  std::string begin_at_; // the first guest that the last round did not reach
  // The round: its requests, and the position of the next one.
  std::vector<store::guest_ptr> guests_;
  std::vector<metrics_question> questions_;
  std::size_t guest_ = 0, question_ = 0;
  std::size_t width_ = 1;
  // The batch whose answers are waited for, or that is to be sent again.
  std::uint64_t batch_ = 0;
  std::vector<request> few_;
  std::size_t open_ = 0;
  ending worst_ = ending::done;
  time asked_at_{}, deadline_{};
};

} // namespace mistify::actors
