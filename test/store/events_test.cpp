#include "test/store/fixture.hpp"

#include "store/events.hpp"

#include <algorithm>

using namespace mistify;
using namespace mistify::store;

namespace {

std::string in_words(const event& one) {
  constexpr std::array names{"?", "created", "changed", "deleted", "queued", "started", "stage", "stage over", "ended"};
  const auto who = one.job.empty() || one.type < event_type::job_queued ? one.guest : one.job;
  auto words = std::to_string(one.id) + ' ' + who + ' ' + names.at(static_cast<std::size_t>(one.type));
  if (one.type == event_type::job_stage_done || one.type == event_type::job_stage_skipped)
    words += ' ' + std::to_string(one.number);
  return words + (one.text.empty() ? "" : ": " + one.text);
}

using lines = std::vector<std::string>;

struct event_fixture : journal_fixture {
  /// What the log on disk tells behind an id.
  lines told(std::int64_t behind = 0) const {
    lines found;
    for (const auto& one : job_reader{path}.events_after(behind, 100'000))
      found.push_back(in_words(*one));
    return found;
  }

  rpc::guest returned(const std::string& state) const {
    rpc::guest guest;
    guest.id = "g";
    guest.state = state;
    return guest;
  }

  /// A guest `g` whose create is over; returns the last event so far.
  std::int64_t begin() {
    const auto doc = add_guest("g").guest_doc;
    start("create-g");
    complete("create-g", guest_returned{doc, returned("running")});
    return feed.last();
  }
};

} // namespace

TEST_CASE_METHOD(event_fixture, "a guest's life and that of its jobs is told in order") {
  begin();
  add_job("r", "g");
  start("r", 0);
  record({"r", guest_returned{doc("g"), returned("stopped")}, stage_starts{1, "S.Start"}});
  complete("r", guest_returned{doc("g"), returned("running")});
  CHECK(told() == lines{"1 g created: create", "2 create-g queued", "3 create-g started",
                        "4 create-g stage 0: Svc.Method", "5 g changed: running", "6 create-g ended", "7 r queued",
                        "8 r started", "9 r stage 0: Svc.Method", "10 g changed: stopped", "11 r stage 1: S.Start",
                        "12 g changed: running", "13 r ended"});
  const auto last = *job_reader{path}.events_after(12, 1).at(0);
  CHECK(last.guest == "g");
  CHECK(last.action == "reboot");
  CHECK(last.number == static_cast<std::int64_t>(rpc::job_status::complete));
  CHECK(last.at == job("r").updated_at);
}

TEST_CASE_METHOD(event_fixture, "a delete tells the end of the guest's other jobs too") {
  const auto before = begin();
  add_job("d", "g", "delete");
  add_job("behind", "g");
  start("d");
  complete("d", guest_removed{});
  CHECK(told(before + 3) ==
        lines{"10 d stage 0: Svc.Method", "11 g deleted", "12 behind ended: guest deleted", "13 d ended"});
}

TEST_CASE_METHOD(event_fixture, "an event keeps the labels that its guest had, at its end the last ones") {
  const auto make = [&](const std::string& team) {
    rpc::guest guest;
    guest.id = "g";
    guest.extra["labels"] = R"({"team":")" + team + "\"}";
    batch([&] { return log->add_guest(guest, {"create-" + team, "g", "create", "", "", "digest"}); });
    complete("create-" + team);
  };
  const auto teams = [&] {
    std::string found;
    for (const auto& one : job_reader{path}.events_after(0, 100))
      found += one->labels ? one->labels->at("team") + ' ' : "none ";
    return found;
  };
  make("red");
  add_job("d", "g", "delete");
  add_job("behind", "g");
  complete("d", guest_removed{});
  make("blue");
  batch([&] { return log->add_job({"image", "agent", "fetchImage", "{}", "", ""}); });
  const std::string all = "red red red red red red red red blue blue blue none ";
  CHECK(teams() == all);
  for (std::int64_t i = 0; i < 8; ++i)
    CHECK(feed.after(i, 1)->at(0)->labels->at("team") == "red");
  reopen();
  CHECK(teams() == all);
  std::string last;
  job_reader{path}.visit("g", [&](const rpc::job& one, const rpc::metadata_map* labels) {
    last += one.id + (labels ? '=' + labels->at("team") : "") + ' ';
    return true;
  });
  CHECK(last == "create-blue behind d=red create-red ");
}

TEST_CASE_METHOD(event_fixture, "what changes nothing is not told, and metadata that clients change is") {
  const auto before = begin();
  batch([&] { return log->patch_guest_metadata("g", {}); });
  CHECK(told(before).empty());
  batch([&] { return log->patch_guest_metadata("g", {{"k", "v"}}); });
  CHECK(told(before) == lines{"7 g changed: running"});
  CHECK(job_reader{path}.events_after(6, 1).at(0)->job.empty());
  add_job("r", "g");
  start("r");
  auto same = returned("running");
  same.metadata = {{"k", "v"}};
  complete("r", guest_returned{doc("g"), same});
  CHECK(told(before + 1) == lines{"8 r queued", "9 r started", "10 r stage 0: Svc.Method", "11 r ended"});
}

TEST_CASE_METHOD(event_fixture, "a stage that is to run again, or failed, is not told as done") {
  const auto before = begin();
  add_job("r", "g");
  start("r", 0);
  record({"r", guest_unchanged{}, stage_paused{0}});
  start("r", 0);
  record({"r", guest_state{"error"}, job_ends{rpc::job_status::error, "no disk"}});
  CHECK(told(before) == lines{"7 r queued", "8 r started", "9 g changed: error", "10 r ended: no disk"});
  add_job("f", "g", "delete");
  start("f", 0);
  record({"f", guest_unchanged{}, stage_starts{1, "S.Two"}, "gone already"});
  CHECK(told(before + 6) == lines{"13 f stage over 0: gone already"});
}

TEST_CASE_METHOD(event_fixture, "events commit with what they tell, and their numbers have no holes") {
  const auto before = begin();
  log->begin();
  log->add_job({"lost", "g", "reboot", "", "", ""});
  log->rollback();
  fail_commit = true;
  CHECK_THROWS_AS(add_job("lost", "g"), rpc::failure);
  log->begin();
  CHECK_THROWS_AS(log->add_job({"nowhere", "x", "reboot", "", "", ""}), rpc::failure);
  log->add_job({"kept", "g", "reboot", "", "", ""});
  CHECK_THROWS_AS(log->record({"kept", guest_returned{doc("g"), rpc::guest{}}, stage_starts{}}), rpc::failure);
  log->commit();
  CHECK(told(before) == lines{"7 kept queued"});
  CHECK(feed.last() == 7);
  log->begin();
  log->add_job({"lost", "g", "reboot", "", "", ""});
  crash();
  CHECK(told(before) == lines{"7 kept queued"});
  add_job("next", "g");
  CHECK(told(before + 1) == lines{"8 next queued"});
}

TEST_CASE_METHOD(event_fixture, "the log keeps the newest events, up to a tenth more") {
  keep_events = 100;
  reopen();
  add_guest("g");
  for (int i = 0; i < 300; ++i) {
    add_job("j" + std::to_string(i), "g");
    const auto there = job_reader{path}.events_after(0, 1000);
    CHECK(there.size() <= 111);
    CHECK(there.size() >= std::min<std::size_t>(100, static_cast<std::size_t>(feed.last())));
    CHECK(there.back()->id == feed.last());
    CHECK(there.back()->id - there.front()->id + 1 == static_cast<std::int64_t>(there.size()));
  }
  reopen();
  CHECK(feed.last() == 302);
  add_job("after", "g");
  CHECK(feed.last() == 303);
}

TEST_CASE_METHOD(event_fixture, "a log whose bound was lowered shrinks") {
  add_guest("g");
  for (int i = 0; i < 50; ++i)
    add_job("j" + std::to_string(i), "g");
  keep_events = 10;
  reopen();
  add_job("one more", "g");
  CHECK(told().size() == 10);
}

TEST_CASE_METHOD(event_fixture, "a long message is cut between two characters") {
  begin();
  add_job("r", "g");
  std::string message = "x";
  for (int i = 0; i < 200; ++i)
    message += "ä";
  record({"r", guest_unchanged{}, job_ends{rpc::job_status::error, message}});
  const auto text = job_reader{path}.events_after(7, 10).at(0)->text;
  CHECK(text.size() <= longest_event_text);
  CHECK(text.ends_with("ä…"));
  CHECK(job("r").message == message);
}

TEST_CASE_METHOD(event_fixture, "a guest that is set aside as broken is told as deleted") {
  const auto before = begin();
  log.reset();
  {
    database other{path, database::access::read_write};
    other.execute("UPDATE guests SET doc = 'nonsense'");
  }
  open();
  CHECK(told(before) == lines{"7 g deleted"});
  CHECK(feed.last() == 7);
}

TEST_CASE_METHOD(event_fixture, "the feed has what was committed, and tells whoever listens") {
  begin();
  std::vector<std::int64_t> heard;
  auto listening = feed.listen([&] { heard.push_back(feed.last()); });
  fail_commit = true;
  CHECK_THROWS_AS(add_job("lost", "g"), rpc::failure);
  CHECK(heard.empty());
  add_job("r", "g");
  start("r");
  CHECK(heard == std::vector<std::int64_t>{7, 8});
  listening.reset();
  complete("r");
  CHECK(heard.size() == 2);
  const auto recent = feed.after(6, 2);
  REQUIRE(recent);
  REQUIRE(recent->size() == 2);
  CHECK(in_words(*recent->at(0)) == "7 r queued");
  CHECK(in_words(*recent->at(1)) == "8 r started");
  CHECK(feed.after(feed.last(), 5)->empty());
  CHECK(feed.after(feed.last() + 100, 5)->empty());
}

TEST_CASE_METHOD(event_fixture, "the feed reaches back as far as its memory does") {
  begin();
  reopen();
  CHECK_FALSE(feed.after(3, 5));
  CHECK(feed.after(6, 5)->empty());
  for (std::size_t i = 0; i < event_feed::kept + 10; ++i)
    add_job("j" + std::to_string(i), "g");
  const auto oldest = feed.last() - static_cast<std::int64_t>(event_feed::kept) + 1;
  CHECK_FALSE(feed.after(oldest - 2, 5));
  CHECK(feed.after(oldest - 1, 5)->at(0)->id == oldest);
}

TEST_CASE_METHOD(event_fixture,
                 "a listener sees all events of a commit with more than the feed keeps, until the next one") {
  begin();
  const auto seen = feed.last();
  constexpr auto many = event_feed::kept + 200;
  std::size_t heard = 0;
  const auto listening = feed.listen([&] {
    const auto news = feed.after(seen, many);
    heard = news ? news->size() : 0;
  });
  batch([&] {
    for (std::size_t i = 0; i < many; ++i)
      log->add_job({"j" + std::to_string(i), "g", "reboot", "", "", ""});
    return 0;
  });
  CHECK(heard == many);
  add_job("next", "g");
  CHECK_FALSE(feed.after(seen, many));
  CHECK(feed.after(feed.last() - static_cast<std::int64_t>(event_feed::kept), many)->size() == event_feed::kept);
}
