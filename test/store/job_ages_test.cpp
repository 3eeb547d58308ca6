#include "store/job_ages.hpp"

#include <catch2/catch.hpp>

using mistify::store::job_ages;
using namespace std::chrono_literals;

namespace {

job_ages::time at(std::chrono::milliseconds since) {
  return job_ages::time{since};
}

} // namespace

TEST_CASE("jobs grow old in the order in which they ended") {
  job_ages ages{10s, at(0s), 5};
  ages.ended(at(4s), 6);
  ages.ended(at(8s), 9);
  CHECK(ages.last_old(at(9s)) == 0);
  CHECK(ages.last_old(at(10s)) == 5);
  CHECK(ages.last_old(at(14s)) == 6);
  CHECK(ages.last_old(at(17s)) == 6);
  CHECK(ages.last_old(at(18s)) == 9);
}

TEST_CASE("jobs that end at short intervals are old no sooner than their age, and a second later at most") {
  job_ages ages{10s, at(0s), 0};
  for (int i = 1; i <= 30; ++i)
    ages.ended(at(i * 100ms), i);
  for (int i = 1; i <= 30; ++i)
    CHECK(ages.last_old(at(10s + i * 100ms)) <= i);
  CHECK(ages.last_old(at(14s)) == 30);
}

TEST_CASE("without an age every job is old") {
  job_ages ages{0s, at(0s), 0};
  CHECK(ages.last_old(at(0s)) > 1'000'000'000);
}

TEST_CASE("another age counts for the jobs that are not old yet") {
  job_ages ages{10s, at(0s), 5};
  ages.ended(at(4s), 6);
  CHECK(ages.last_old(at(10s)) == 5);
  ages.set_young_for(20s);
  CHECK(ages.last_old(at(14s)) == 5);
  CHECK(ages.last_old(at(24s)) == 6);
  ages.ended(at(30s), 7);
  ages.set_young_for(0s);
  CHECK(ages.last_old(at(30s)) > 1'000'000'000);
  ages.set_young_for(60s);
  ages.ended(at(31s), 8);
  CHECK(ages.last_old(at(32s)) == 7); // 7 was old while there was no age
}
