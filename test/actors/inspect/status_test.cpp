#include "actors/inspect/history.hpp"
#include "actors/inspect/status.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace std::chrono_literals;
using actors::actor_status;
using actors::condition;

namespace {

actor_status named(const std::string& id) {
  actor_status s;
  s.id = id;
  return s;
}

actor_status calling(const std::string& id, actors::age since) {
  auto s = named(id);
  s.state = condition::working;
  s.calls.push_back({"s", "T.Run", "g", "", since});
  return s;
}

std::vector<actor_status::event> events_of(const actors::history& past, actors::history::time now) {
  actor_status s;
  past.tell(s, now);
  return s.history;
}

constexpr actors::history::time begin{1h};

} // namespace

TEST_CASE(
  "what needs a look comes first: the silent, what is shared, the slowest, those that failed, then the rest by id") {
  auto silent = named("z");
  silent.state = condition::silent;
  auto failed = named("y");
  failed.last_error = actor_status::event{"boom", "", 1s};
  auto replaced = named("x");
  replaced.restarts = 1;
  auto quick = calling("quick", 1min), slow = calling("slow", 1h);
  quick.guest = slow.guest = "g";
  std::vector<actor_status> all{
    named("b"), named("a"), replaced, failed, calling("busy", 100ms), quick, slow, calling("shared", 2s), silent};
  put_stuck_first(all);
  std::vector<std::string> ids;
  for (const auto& s : all)
    ids.push_back(s.id);
  CHECK(ids == std::vector<std::string>{"z", "shared", "slow", "quick", "busy", "x", "y", "a", "b"});
}

TEST_CASE("an actor is stuck when it is silent, or at one thing for too long") {
  CHECK(why_stuck(named("a"), 30s).empty());
  CHECK(why_stuck(calling("a", 29s), 30s).empty());
  CHECK(why_stuck(calling("a", 42s), 30s) == "waits for the answer of T.Run for 42 s");

  auto silent = named("a");
  silent.state = condition::silent;
  CHECK(why_stuck(silent, 30s) == "does not answer");
  silent.at = actor_status::handling{"commit", 3min};
  CHECK(why_stuck(silent, 30s) == "does not answer: handles commit for 3 min");

  auto saving = named("a");
  saving.works_on = actor_status::work{"waits for the database", 31s};
  CHECK(why_stuck(saving, 30s) == "waits for the database for 31 s");
  CHECK(oldest(saving) == 31s);
}

TEST_CASE("ages read as people say them") {
  CHECK(actors::in_words(0s) == "0 ms");
  CHECK(actors::in_words(999ms) == "999 ms");
  CHECK(actors::in_words(119s) == "119 s");
  CHECK(actors::in_words(119min) == "119 min");
  CHECK(actors::in_words(50h) == "50 h");
}

TEST_CASE("a history tells the newest first, keeps so many, and forgets the oldest") {
  actors::history past{3};
  CHECK(events_of(past, begin).empty());
  for (int i = 1; i <= 5; ++i) {
    past.note(begin + i * 1s, "event " + std::to_string(i), "job");
    const auto so_far = events_of(past, begin + i * 1s);
    CHECK(so_far.size() == std::min<std::size_t>(i, 3));
    CHECK(so_far.front().text == "event " + std::to_string(i));
  }
  const auto all = events_of(past, begin + 10s);
  REQUIRE(all.size() == 3);
  CHECK(all[0].since == 5s);
  CHECK(all[1].text == "event 4");
  CHECK(all[2].text == "event 3");
  CHECK(all[2].job == "job");
}

TEST_CASE("the last error is known even when the history no longer holds it") {
  actors::history past{2};
  CHECK(past.last_error() == nullptr);
  past.note_error(begin, "boom", "j1");
  past.note(begin + 1s, "a"), past.note(begin + 2s, "b");
  CHECK(past.errors() == 1);
  REQUIRE(past.last_error());
  const auto told = past.last_error()->told(begin + 5s);
  CHECK(told.text == "boom");
  CHECK(told.job == "j1");
  CHECK(told.since == 5s);
}
