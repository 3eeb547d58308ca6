#include "actors/ids.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <iterator>
#include <set>
#include <vector>

using namespace mistify::actors;

namespace {

std::vector<std::string> many(std::string (*make)()) {
  std::vector<std::string> ids;
  std::generate_n(std::back_inserter(ids), 1000, make);
  return ids;
}

/// Milliseconds since the epoch, by the first twelve digits.
std::int64_t time_of(std::string id) {
  return std::stoll(id.erase(8, 1).substr(0, 12), nullptr, 16);
}

std::int64_t now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace

TEST_CASE("ids are UUIDs of their version, and differ on every thread") {
  for (const auto& [make, version] : {std::pair{&new_uuid, '4'}, std::pair{&new_job_id, '7'}}) {
    std::vector<std::future<std::vector<std::string>>> threads;
    for (int i = 0; i < 4; ++i)
      threads.push_back(std::async(std::launch::async, many, make));
    std::set<std::string> all;
    for (auto& one : threads)
      for (const auto& id : one.get()) {
        CHECK(is_uuid(id));
        CHECK(id[14] == version);
        CHECK(std::string{"89ab"}.find(id[19]) != std::string::npos);
        all.insert(id);
      }
    CHECK(all.size() == 4000);
  }
}

TEST_CASE("ids of jobs begin with the time") {
  const auto before = now();
  const auto id = new_job_id();
  CHECK(time_of(id) >= before);
  CHECK(time_of(id) <= now());
}
