#include "http/process/systemd.hpp"

#include <catch2/catch.hpp>

using namespace mistify::http::systemd;
using namespace std::chrono_literals;

namespace {

/// A watchdog's time without waiting: actors that hang from one moment to another, and the feedings.
struct rehearsal {
  std::chrono::milliseconds interval, hang_from, hang_to, end, now{0}, longest_gap{0}, fed_at{0};
  int looks = 0;

  void run() {
    const watchdog_feeder feeder{[&](auto longest) { return look(longest); },
                                 [&] {
                                   longest_gap = std::max(longest_gap, now - fed_at);
                                   fed_at = now;
                                 },
                                 [] {},
                                 [&](auto length) {
                                   now += length;
                                   return now < end;
                                 }};
    feeder.run(watchdog_times::of(interval));
  }

  /// An answer comes at once, or when the actors go on, or not in time.
  bool look(std::chrono::milliseconds longest) {
    ++looks;
    if (now < hang_from || now >= hang_to)
      return true;
    const bool answered = hang_to - now <= longest;
    now = answered ? hang_to : now + longest;
    return answered;
  }
};

} // namespace

TEST_CASE("actors that hang for less than three quarters of the interval are borne, whenever they begin to") {
  for (auto begin = 0ms; begin < 30'000ms; begin += 100ms) {
    rehearsal r{30s, begin, begin + 22'400ms, 200s};
    r.run();
    INFO(begin.count());
    CHECK(r.longest_gap < 30s);
  }
}

TEST_CASE("after a look that failed the next begins at once") {
  rehearsal r{30s, 1ms, 1s + 22s, 40s};
  r.run();
  CHECK(r.longest_gap <= 23s);
}

TEST_CASE("in peace the watchdog is fed four times in an interval, and looked for no more often") {
  rehearsal r{30s, 300s, 300s, 300s};
  r.run();
  CHECK(r.longest_gap == 7'500ms);
  CHECK(r.looks == 40);
}
