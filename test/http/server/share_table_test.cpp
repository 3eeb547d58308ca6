#include "http/server/share_table.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace mistify::http;
using namespace std::chrono_literals;

TEST_CASE("a key gets as many places as its share, whatever others hold") {
  share_table table{2};
  auto first = table.take("a");
  const auto second = table.take("a");
  REQUIRE(first);
  REQUIRE(second);
  CHECK_FALSE(table.take("a"));
  CHECK(table.take("b"));
  CHECK(table.held("a") == 2);
  first.reset();
  CHECK(table.held("a") == 1);
  CHECK(table.take("a"));
}

TEST_CASE("a place that is moved is given back once") {
  share_table table{1};
  {
    auto first = table.take("a");
    const auto owner = *std::move(first);
    first.reset();
    CHECK(table.held("a") == 1);
  }
  CHECK(table.held("a") == 0);
}

TEST_CASE("a table without a bound counts nothing") {
  share_table table{share_table::no_bound};
  const auto one = table.take("a");
  CHECK(one);
  CHECK(table.held("a") == 0);
}

TEST_CASE("a share of none lets nobody in and remembers nobody") {
  share_table table{0};
  CHECK_FALSE(table.take("a"));
  CHECK(table.held("a") == 0);
}

TEST_CASE("threads that take and give back leave no place taken") {
  share_table table{3};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int turn = 0; turn < 1000; ++turn)
        const auto place = table.take("a");
    });
  for (auto& one : threads)
    one.join();
  CHECK(table.held("a") == 0);
}

TEST_CASE("a key makes its requests of a second at once, then at the rate") {
  request_rates rates{4};
  const auto begin = request_rates::clock::time_point{1h};
  for (int i = 0; i < 4; ++i)
    CHECK(rates.admit("a", begin));
  CHECK_FALSE(rates.admit("a", begin));
  CHECK(rates.admit("b", begin));
  CHECK_FALSE(rates.admit("a", begin + 249ms));
  CHECK(rates.admit("a", begin + 250ms));
  CHECK_FALSE(rates.admit("a", begin + 251ms));
  for (int i = 0; i < 4; ++i)
    CHECK(rates.admit("a", begin + 10s));
  CHECK_FALSE(rates.admit("a", begin + 10s));
}

TEST_CASE("with no rate every request is admitted") {
  request_rates rates{0};
  CHECK(rates.off());
  for (int i = 0; i < 1000; ++i)
    CHECK(rates.admit("a", request_rates::clock::time_point{}));
}

TEST_CASE("keys without end do not fill the memory, and those that wait stay known") {
  request_rates rates{1};
  auto now = request_rates::clock::time_point{1h};
  CHECK(rates.admit("busy", now));
  for (int i = 0; i < 5000; ++i)
    CHECK(rates.admit(std::to_string(i), now));
  CHECK_FALSE(rates.admit("busy", now));
  now += 2s;
  for (int i = 0; i < 20'000; ++i)
    CHECK(rates.admit("again " + std::to_string(i), now));
}

TEST_CASE("another share counts for places that are taken later") {
  share_table table{1};
  const auto first = table.take("a");
  CHECK_FALSE(table.take("a"));
  table.set_share(2);
  auto second = table.take("a");
  REQUIRE(second);
  table.set_share(1);
  CHECK(table.held("a") == 2);
  second.reset();
  CHECK_FALSE(table.take("a"));
  table.set_share(share_table::no_bound);
  CHECK(table.take("a"));
  CHECK(table.held("a") == 1);
}

TEST_CASE("another rate counts from the next request on") {
  request_rates rates{0};
  const auto now = request_rates::clock::time_point{1h};
  CHECK(rates.admit("a", now));
  rates.set_rate(1);
  CHECK(rates.admit("a", now));
  CHECK_FALSE(rates.admit("a", now));
  rates.set_rate(0);
  CHECK(rates.admit("a", now));
}
