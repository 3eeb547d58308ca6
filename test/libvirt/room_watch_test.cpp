#include "rpc/agents/libvirt/room_watch.hpp"

#include <catch2/catch.hpp>

#include "rpc/agents/libvirt/domain_notes.hpp"

#include <libvirt/libvirt.h>

using namespace mistify::agents;
using namespace std::chrono_literals;

TEST_CASE("a guest that waits for room is looked at every two seconds, and no other is") {
  room_watch watch;
  room_watch::clock::time_point now{1000s};
  CHECK_FALSE(watch.next());
  watch.add("g", now);
  watch.add("g", now + 1s);
  CHECK(watch.next() == now + 2s);
  CHECK_FALSE(watch.take(now + 1s));
  now += 2s;
  CHECK(watch.take(now) == "g");
  watch.wait_on("g", now);
  CHECK(watch.next() == now + 2s);
  watch.drop("g");
  CHECK_FALSE(watch.next());
}

TEST_CASE("a guest that is stopped again soon waits longer each time, up to a minute") {
  room_watch watch;
  room_watch::clock::time_point now{1000s};
  std::vector<std::chrono::seconds> pauses;
  for (int i = 0; i < 7; ++i) {
    watch.add("g", now);
    pauses.push_back(std::chrono::duration_cast<std::chrono::seconds>(*watch.next() - now));
    now = *watch.next();
    CHECK(watch.take(now) == "g");
    watch.resumed("g", now);
  }
  CHECK(pauses == std::vector<std::chrono::seconds>{2s, 4s, 8s, 16s, 32s, 60s, 60s});
  now += room_watch::quiet;
  watch.add("g", now);
  CHECK(watch.next() == now + 2s);
}

TEST_CASE("why a domain crashed is known from libvirt's events until it starts again") {
  domain_notes notes;
  CHECK(notes.crash_of("d") == "crashed");
  notes.note_life("d", VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
  CHECK(notes.crash_of("d") == "killed");
  notes.note_life("d", VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
  notes.note_life("d", VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
  CHECK(notes.crash_of("d") == "panic");
  notes.note_life("d", VIR_DOMAIN_EVENT_UNDEFINED, 0);
  CHECK(notes.crash_of("d") == "crashed");
}

TEST_CASE("resets are counted while a connection tells of them, and its counts are unlike those of the next one") {
  domain_notes notes;
  CHECK_FALSE(notes.resets_of("d"));
  notes.expect_resets();
  const auto before = notes.resets_of("d");
  REQUIRE(before);
  CHECK(notes.resets_of("d") == before);
  notes.note_reset("d");
  CHECK(notes.resets_of("d") != before);
  CHECK(notes.resets_of("e") == before);
  notes.miss_resets();
  CHECK_FALSE(notes.resets_of("e"));
  notes.expect_resets();
  CHECK(notes.resets_of("e") != before);
}
