#include "rpc/base/metrics.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace mistify::rpc::metrics;
using namespace std::chrono_literals;

TEST_CASE("the same name and labels give the same counter, others another") {
  registry all;
  auto& one = all.add_counter("x_total", "help", {{"a", "1"}});
  CHECK(&all.add_counter("x_total", "help", {{"a", "1"}}) == &one);
  CHECK(&all.add_counter("x_total", "help", {{"a", "2"}}) != &one);
  std::size_t families = 0;
  all.visit([&](const family& f) {
    ++families;
    CHECK(f.rows.size() == 2);
  });
  CHECK(families == 1);
}

TEST_CASE("threads that count at the same time lose nothing") {
  counter hits;
  histogram spread{latency()};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 10'000; ++n)
          hits.add(), spread.observe(3ms);
      });
  }
  CHECK(hits.value() == 40'000);
  std::uint64_t in_buckets = 0;
  for (std::size_t i = 0; i <= spread.shape().bounds.size(); ++i)
    in_buckets += spread.in_bucket(i);
  CHECK(in_buckets == 40'000);
  CHECK(spread.sum() == Approx(120));
}

TEST_CASE("a value on a bound is in the bucket below it, and one beyond all bounds in the last") {
  histogram spread{{{10, 20}, 1}};
  spread.observe(10);
  spread.observe(11);
  spread.observe(1000);
  CHECK(spread.in_bucket(0) == 1);
  CHECK(spread.in_bucket(1) == 1);
  CHECK(spread.in_bucket(2) == 1);
}

TEST_CASE("a share of a gauge goes with its holder, and only once when it was moved") {
  gauge level;
  {
    gauge_share mine{level};
    mine.set(3);
    CHECK(level.value() == 3);
    gauge_share other{level};
    other.set(2);
    other = std::move(mine);
    CHECK(level.value() == 3);
    other.set(1);
    CHECK(level.value() == 1);
  }
  CHECK(level.value() == 0);
}
