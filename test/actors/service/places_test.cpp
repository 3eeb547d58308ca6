#include "actors/service/places.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

using namespace mistify;
using namespace mistify::actors;

namespace {

struct places_fixture {
  places_fixture() {
    gate->on_free([this] { ++woken; });
  }
  std::shared_ptr<places> gate = std::make_shared<places>(2);
  int woken = 0;
};

} // namespace

TEST_CASE_METHOD(places_fixture, "a claim holds a place while one is free, and gives it back when it goes") {
  auto one = gate->claim(), two = gate->claim_for_job();
  CHECK(one->holds());
  CHECK(two->holds());
  CHECK(gate->held() == 2);
  one.reset();
  CHECK(gate->held() == 1);
  CHECK(woken == 0);
}

TEST_CASE_METHOD(places_fixture, "no claim passes one that waits") {
  auto one = gate->claim(), two = gate->claim(), third = gate->claim();
  CHECK_FALSE(third->holds());
  CHECK_FALSE(third->take());
  one.reset();
  CHECK(woken == 1);
  CHECK_FALSE(gate->claim()->holds());
  CHECK_FALSE(two->keep());
  CHECK(third->take());
  CHECK(third->holds());
  CHECK(two->keep());
}

TEST_CASE_METHOD(places_fixture, "a claim that stops waiting lets others pass") {
  auto one = gate->claim(), two = gate->claim(), third = gate->claim();
  one.reset();
  third.reset();
  CHECK(gate->claim()->holds());
}

TEST_CASE_METHOD(places_fixture, "one wake-up is on its way at a time") {
  auto one = gate->claim(), two = gate->claim(), third = gate->claim();
  one.reset();
  two.reset();
  CHECK(woken == 1);
  gate->woken();
  CHECK(third->take());
  const auto fourth = gate->claim();
  CHECK(fourth->holds());
  const auto fifth = gate->claim();
  third.reset();
  CHECK(woken == 2);
}

TEST_CASE_METHOD(places_fixture, "jobs that are held wait, and others do not") {
  auto hold = gate->hold_jobs();
  CHECK(gate->holds_jobs());
  const auto other = gate->claim();
  CHECK(other->holds());
  const auto job = gate->claim_for_job();
  CHECK_FALSE(job->holds());
  auto copy = hold;
  hold.reset();
  CHECK(woken == 0);
  copy.reset();
  CHECK_FALSE(gate->holds_jobs());
  CHECK(woken == 1);
}

TEST_CASE_METHOD(places_fixture, "a spare place is one that leaves another free") {
  const auto spare = gate->claim_spare();
  REQUIRE(spare);
  CHECK_FALSE(gate->claim_spare());
  const auto single = std::make_shared<places>(1);
  const auto taken = single->claim_spare();
  CHECK(taken);
  CHECK_FALSE(single->claim_spare());
}

TEST_CASE("many threads never hold more places than there are") {
  const auto gate = std::make_shared<places>(3);
  std::atomic<int> now{0}, most{0}, got{0};
  const auto visit = [&] {
    for (int i = 0; i < 2000; ++i)
      if (const auto claim = gate->claim(); claim->holds()) {
        const int here = ++now;
        for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);)
          ;
        ++got;
        --now;
      }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back(visit);
  for (auto& thread : threads)
    thread.join();
  CHECK(most <= 3);
  CHECK(got > 0);
  CHECK(gate->held() == 0);
}

TEST_CASE_METHOD(places_fixture, "more places wake what waits, and of fewer none is taken again") {
  auto one = gate->claim(), two = gate->claim(), third = gate->claim();
  gate->set_width(3);
  CHECK(woken == 1);
  CHECK(third->take());
  gate->woken();
  gate->set_width(1);
  CHECK(gate->width() == 1);
  CHECK(gate->held() == 3);
  CHECK_FALSE(one->keep());
  one.reset();
  CHECK_FALSE(two->keep());
  two.reset();
  CHECK(third->keep());
  CHECK_FALSE(gate->claim()->holds());
  CHECK_FALSE(gate->claim_spare());
  third.reset();
  CHECK(gate->claim()->holds());
}
