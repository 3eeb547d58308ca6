#include "rpc/base/cancellation.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

using mistify::rpc::cancellation;

TEST_CASE("an action runs once when the switch is thrown, however often") {
  const cancellation c;
  int ran = 0;
  const auto guard = c.on_cancel([&] { ++ran; });
  CHECK_FALSE(c.cancelled());
  CHECK(ran == 0);
  const auto copy = c;
  copy.cancel();
  c.cancel();
  CHECK(c.cancelled());
  CHECK(ran == 1);
}

TEST_CASE("an action runs at once when the switch was thrown before") {
  const cancellation c;
  c.cancel();
  bool ran = false;
  const auto guard = c.on_cancel([&] { ran = true; });
  CHECK(ran);
}

TEST_CASE("an action does not run after its guard has gone, other guards' actions do") {
  const cancellation c;
  int first = 0, second = 0;
  const auto stays = c.on_cancel([&] { ++second; });
  {
    const auto guard = c.on_cancel([&] { ++first; });
    auto moved = c.on_cancel([&] { ++first; });
    const auto owner = std::move(moved);
  }
  c.cancel();
  CHECK(first == 0);
  CHECK(second == 1);
}

TEST_CASE("a guard waits for its action to end") {
  const cancellation c;
  std::promise<void> running, proceed;
  std::atomic<bool> ended{false};
  std::thread canceller;
  {
    const auto guard = c.on_cancel([&] {
      running.set_value();
      proceed.get_future().wait();
      ended = true;
    });
    canceller = std::thread{[&] { c.cancel(); }};
    running.get_future().wait();
    proceed.set_value();
  }
  CHECK(ended);
  canceller.join();
}

TEST_CASE("guards come and go while others cancel") {
  for (int i = 0; i < 200; ++i) {
    const cancellation c;
    std::thread canceller{[&] { c.cancel(); }};
    int ran = 0;
    {
      const auto guard = c.on_cancel([&] { ++ran; });
    }
    const int seen = ran; // no race: the guard waited
    canceller.join();
    CHECK(ran == seen);
  }
}
