#include "http/api/views/event_stream.hpp"
#include "test/store/fixture.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::store;
using http::event_filter;
using http::event_stream;

namespace {

struct stream_fixture : journal_fixture {
  stream_fixture() {
    add_guest("g");    // 1, 2
    add_job("r", "g"); // 3
  }

  event_stream behind(std::int64_t id, event_filter filter = {}) {
    return behind(http::event_place{id}, std::move(filter));
  }
  event_stream behind(http::event_place place, event_filter filter = {}) {
    return {{feed, reader()}, std::move(filter), std::move(place)};
  }

  /// All that a stream has to say now, with ids that are numbers only.
  std::string all(event_stream& from) const {
    std::string text;
    for (auto more = from.next(); !more.empty(); more = from.next())
      text += more;
    return plain(text);
  }

  std::string epoch_of(std::int64_t id) const { return std::string{feed.epochs()->of(id)}; }

  std::string plain(std::string text) const {
    for (std::int64_t id = 0; id <= feed.last(); ++id)
      for (const auto mark = "id: " + epoch_of(id) + "-"; text.find(mark) != text.npos;)
        text.replace(text.find(mark), mark.size(), "id: ");
    return text;
  }

  const job_reader& reader() {
    if (!reader_)
      reader_ = std::make_unique<job_reader>(path);
    return *reader_;
  }

private:
  std::unique_ptr<job_reader> reader_;
};

std::size_t count(const std::string& in, const std::string& text) {
  std::size_t found = 0;
  for (auto at = in.find(text); at != in.npos; at = in.find(text, at + 1))
    ++found;
  return found;
}

} // namespace

TEST_CASE_METHOD(stream_fixture, "a stream begins with where it is, then tells what comes") {
  auto s = behind(3);
  CHECK(all(s) == "retry: 2000\nid: 3\n\n");
  start("r");
  CHECK(all(s) ==
        "id: 4\nevent: job.started\ndata: {\"id\":4,\"time\":\"1970-01-01T00:00:03Z\",\"type\":\"job.started\","
        "\"guest\":\"g\",\"job\":\"r\",\"action\":\"reboot\"}\n\n");
  complete("r", guest_state{"running"});
  const auto text = all(s);
  CHECK(
    text.find(R"("type":"job.stage_done","guest":"g","job":"r","action":"reboot","stage":1,"method":"Svc.Method"})") !=
    text.npos);
  CHECK(text.find(R"("type":"guest.changed","guest":"g","job":"r","action":"reboot","state":"running"})") != text.npos);
  CHECK(text.find(R"("type":"job.ended","guest":"g","job":"r","action":"reboot","status":"Complete","message":""})") !=
        text.npos);
  CHECK(s.next().empty());
  CHECK(plain(s.idle()) == ": still here\nid: 7\n\n");
}

TEST_CASE_METHOD(stream_fixture, "what came before is replayed, from memory and from disk") {
  for (const bool from_disk : {false, true}) {
    if (from_disk)
      reopen();
    auto s = behind(1);
    CHECK(all(s).find("retry: 2000\nid: 1\n\nid: 2\nevent: job.queued\n") == 0);
    CHECK(s.next().empty());
  }
}

TEST_CASE_METHOD(stream_fixture, "a filter lets through what it names, and the place moves on all the same") {
  add_job("d", "g", "delete"); // 4
  event_filter filter;
  filter.actions = {"delete"};
  auto deletes = behind(0, filter);
  const auto text = all(deletes);
  CHECK(count(text, "event: ") == 1);
  CHECK(text.find("id: 4\nevent: job.queued\n") != text.npos);
  filter = {};
  filter.types = {event_type::guest_created};
  auto created = behind(0, filter);
  CHECK(count(all(created), "event: ") == 1);
  CHECK(plain(created.idle()).ends_with("id: 4\n\n"));
  filter.guests = {"other"};
  auto none = behind(0, filter);
  CHECK(count(all(none), "event: ") == 0);
  CHECK(plain(none.idle()).ends_with("id: 4\n\n"));
  start("r");
  CHECK(plain(none.next()) == "id: 5\n\n");
}

TEST_CASE_METHOD(stream_fixture, "a place that the log does not reach back to is a gap, whatever the filter") {
  keep_events = 10;
  reopen();
  for (int i = 0; i < 30; ++i)
    add_job("j" + std::to_string(i), "g");
  const auto first = job_reader{path}.events_after(0, 1).at(0)->id;
  CHECK(first > 20);
  event_filter filter;
  filter.actions = {"delete"};
  auto s = behind(2, filter);
  const auto text = all(s);
  CHECK(count(text, "event: gap\n") == 1);
  CHECK(text.find("id: " + std::to_string(first - 1) +
                  "\nevent: gap\ndata: {\"after\":2,\"next\":" + std::to_string(first) + "}\n\n") != text.npos);
  auto whole = behind(first - 1);
  CHECK(count(all(whole), "event: gap") == 0);
}

TEST_CASE_METHOD(stream_fixture, "a place that is yet to come is one of another log, and a gap") {
  auto s = behind(5000);
  CHECK(all(s) == "retry: 2000\nid: 3\nevent: gap\ndata: {\"after\":5000,\"next\":4}\n\nid: 3\n\n");
  start("r");
  CHECK(plain(s.next()).find("id: 4\nevent: job.started") == 0);
}

TEST_CASE_METHOD(stream_fixture, "much is told in pieces, and nothing twice") {
  for (int i = 0; i < 1500; ++i)
    add_job("j" + std::to_string(i), "g");
  auto s = behind(0);
  std::string text;
  for (auto more = s.next(); !more.empty(); more = s.next()) {
    CHECK(more.size() < 20'000);
    text += more;
  }
  CHECK(count(text, "event: ") == 1503);
  CHECK(count(text, "event: gap") == 0);
}

TEST_CASE_METHOD(stream_fixture, "ids name the epoch of their event, the data has the number alone") {
  const auto epoch = epoch_of(3);
  REQUIRE_FALSE(epoch.empty());
  auto s = behind(2);
  const auto text = s.next();
  CHECK(text.find("id: " + epoch + "-2\n\n") != text.npos);
  CHECK(text.find("id: " + epoch + "-3\nevent: job.queued\ndata: {\"id\":3,") != text.npos);
}

TEST_CASE_METHOD(stream_fixture, "a place with its epoch holds over restarts") {
  const auto epoch = epoch_of(3);
  reopen();
  start("r"); // 4
  CHECK(epoch_of(4) != epoch);
  auto s = behind(http::event_place{3, epoch});
  const auto text = all(s);
  CHECK(count(text, "event: ") == 1);
  CHECK(text.find("id: 4\nevent: job.started") != text.npos);
}

TEST_CASE_METHOD(stream_fixture,
                 "whoever saw what a restore took back is told of the gap, once the numbers are used again too") {
  log.reset();
  std::filesystem::copy_file(path, folder / "backup.db");
  open();
  start("r");    // 4, in an epoch that the backup does not have
  complete("r"); // 5, 6
  const auto lost = epoch_of(4);
  log.reset();
  path = folder / "backup.db";
  open();
  for (int i = 0; i < 10; ++i)
    add_job("j" + std::to_string(i), "g");
  auto s = behind(http::event_place{5, lost});
  const auto text = all(s);
  CHECK(text.find("event: gap\ndata: {\"after\":5,\"next\":14}") != text.npos);
  auto plain_place = behind(5);
  CHECK(count(all(plain_place), "event: gap") == 0); // nothing tells it apart
}

TEST_CASE_METHOD(stream_fixture, "behind the end of an epoch that the log has begins the gap") {
  const auto epoch = epoch_of(3);
  reopen();
  start("r"); // 4
  auto s = behind(http::event_place{9, epoch});
  const auto text = all(s);
  CHECK(text.find("id: 3\nevent: gap\ndata: {\"after\":9,\"next\":4}\n\n") != text.npos);
  CHECK(text.find("id: 4\nevent: job.started") != text.npos);
}

TEST_CASE_METHOD(stream_fixture, "whoever has seen nothing yet has missed nothing, whatever the epoch") {
  auto s = behind(http::event_place{0, "abc"});
  const auto text = all(s);
  CHECK(count(text, "event: gap") == 0);
  CHECK(count(text, "event: ") == 3);
}
