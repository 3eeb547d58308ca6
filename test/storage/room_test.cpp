#include "rpc/agents/storage/room.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

using namespace mistify::agents::storage;

namespace {

struct room_lab {
  room_facts facts{1000, 500, 0};
  room r{[this] { return facts; }};
};

} // namespace

TEST_CASE_METHOD(room_lab, "a tenth stays free, and at most a GiB") {
  CHECK(r.left() == 400);
  facts = {std::uint64_t{1} << 40, std::uint64_t{1} << 39, 0};
  CHECK(r.left() == (std::uint64_t{1} << 39) - (std::uint64_t{1} << 30));
}

TEST_CASE_METHOD(room_lab, "what was promised and what is being made is not there for others") {
  r.set({.reserve = 100});
  facts.promised = 100;
  CHECK(r.left() == 300);
  {
    const auto one = r.take(200);
    CHECK(r.left() == 100);
    CHECK_THROWS_WITH(r.take(101), "no space left on device");
    const auto other = r.promise(100);
    CHECK(r.left() == 0);
  }
  CHECK(r.left() == 300);
  facts.free = 0;
  CHECK(r.left() == 0);
}

TEST_CASE_METHOD(room_lab, "promises may count in part, and what is written at once counts whole") {
  r.set({.reserve = 0, .promised_percent = 10});
  facts.promised = 1000;
  CHECK(r.left() == 400);
  const auto thin = r.promise(1000);
  CHECK(r.left() == 300);
  const auto full = r.promise(300, 300);
  CHECK(r.left() == 0);
}

TEST_CASE("a slow measure holds up nobody else's") {
  std::mutex mutex;
  std::condition_variable changed;
  int at_once = 0;
  bool together = false;
  room r{[&] {
    std::unique_lock held{mutex};
    ++at_once;
    changed.notify_all();
    together = changed.wait_for(held, std::chrono::seconds{5}, [&] { return at_once == 2; }) || together;
    return room_facts{1000, 500, 0};
  }};
  std::thread other{[&] { r.left(); }};
  CHECK(r.left() == 400);
  other.join();
  CHECK(together);
}

TEST_CASE("what comes to be on disk during a measure is not given away twice") {
  room_facts facts{1000, 500, 0};
  std::function<void()> meanwhile = [] {};
  int measured = 0;
  room r{[&] {
    const auto before = facts;
    ++measured;
    std::exchange(meanwhile, [] {})();
    return before;
  }};
  std::optional<room::claim> being_made{r.take(300)};
  meanwhile = [&] {
    facts.free = 200;
    being_made.reset();
  };
  measured = 0;
  CHECK(r.left() == 100);
  CHECK(measured == 2);
}
