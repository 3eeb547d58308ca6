#include "rpc/base/missed_time.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using mistify::rpc::missed_time;

TEST_CASE("looks that come in time, or a little late, miss nothing") {
  missed_time time{100ms};
  missed_time::clock::time_point now{5s};
  time.begin(now);
  for (const auto pause : {100ms, 150ms, 1000ms, 0ms, 100ms})
    CHECK(time.look(now += pause) == 0ms);
}

TEST_CASE("a process that was stopped has missed that time, once") {
  missed_time time{100ms};
  const missed_time::clock::time_point now{5s};
  time.begin(now);
  CHECK(time.look(now + 20s) == 20s);
  CHECK(time.look(now + 20s + 100ms) == 0ms);
}

TEST_CASE("a thread that had nothing to look at misses nothing") {
  missed_time time{100ms};
  time.begin(missed_time::clock::time_point{5s});
  time.begin(missed_time::clock::time_point{5min});
  CHECK(time.look(missed_time::clock::time_point{5min + 100ms}) == 0ms);
}
