#include "event_reader.hpp"
#include "house.hpp"
#include "tool.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <regex>

using namespace mistify::test;

namespace {

std::vector<std::string> types_of(const std::vector<told_event>& events) {
  std::vector<std::string> types;
  for (const auto& one : events)
    types.push_back(one.type);
  return types;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("events of guests and jobs are told as they happen") {
  house h;
  event_reader reader{h.agent.port()};
  const auto made = h.http.post("/guests", R"({"memory":512})");
  const auto guest = text_at(made.body, "id");
  h.sub.on("Test.Reboot", [](const call& c) {
    auto doc = at(c.params, "guest");
    return result(c, R"({"guest":)" + doc.substr(0, doc.size() - 1) + R"(,"vnc":5900}})");
  });
  const auto create = reader.until("job.ended");
  CHECK(types_of(create) == names{"guest.created", "job.queued", "job.started", "job.stage_done", "job.ended"});
  for (const auto& one : create) {
    CHECK(text_at(one.data, "guest") == guest);
    CHECK(text_at(one.data, "job") == made.job());
    CHECK(text_at(one.data, "action") == "create");
    CHECK(at(one.data, "id") == one.id);
  }
  CHECK(text_at(create.back().data, "status") == "Complete");
  h.http.post("/guests/" + guest + "/reboot");
  const auto reboot = reader.until("job.ended");
  CHECK(types_of(reboot) == names{"job.queued", "job.started", "job.stage_done", "guest.changed", "job.ended"});
  CHECK(text_at(reboot[2].data, "method") == "Test.Reboot");
  h.http.patch("/guests/" + guest + "/metadata", R"({"a":"b"})");
  CHECK(at(reader.until("guest.changed").back().data, "job") == "(absent)");
  h.http.del("/guests/" + guest);
  const auto deleted = reader.until("guest.deleted");
  CHECK(text_at(deleted.back().data, "action") == "delete");
}

TEST_CASE("a reader that comes back gets what it missed, also after a restart, and nothing twice") {
  house h;
  const auto guest = h.create_guest();
  const auto before = event_reader{h.agent.port(), "?last_event_id=0"}.until("job.ended");
  const auto last = before.back().id, place = before.back().place;
  CHECK(place.ends_with("-" + last));
  h.outcome(h.http.post("/guests/" + guest + "/reboot").job());
  for (const bool restarted : {false, true}) {
    if (restarted)
      h.agent.kill_and_start();
    for (const auto& seen : {last, place}) {
      event_reader again{h.agent.port(), "", {"Last-Event-ID: " + seen}};
      const auto missed = again.until("job.ended");
      CHECK(types_of(missed) == names{"job.queued", "job.started", "job.stage_done", "job.ended"});
      CHECK(missed.front().id == std::to_string(std::stoi(last) + 1));
    }
  }
  // The header is what a browser sends when it comes back to the same address.
  event_reader both{h.agent.port(), "?last_event_id=0", {"Last-Event-ID: " + last}};
  CHECK(both.until("job.queued").size() == 1);
}

TEST_CASE("a reader that was away for too long is told of the gap") {
  house h{[](config_file& c) { c.top["limits"] = R"({"events":20})"; }};
  const auto guest = h.create_guest();
  for (int i = 0; i < 10; ++i)
    h.outcome(h.http.post("/guests/" + guest + "/reboot").job());
  h.agent.kill_and_start(); // memory reaches back further than the log
  event_reader reader{h.agent.port(), "?last_event_id=2"};
  const auto gap = reader.next();
  CHECK(gap.type == "gap");
  CHECK(at(gap.data, "after") == "2");
  const auto first = reader.next();
  CHECK(first.id == at(gap.data, "next"));
  CHECK(std::stoi(first.id) > 20);
}

TEST_CASE("a reader gets what its filters name") {
  house h;
  const auto one = h.create_guest(), other = h.create_guest();
  const auto last = event_reader{h.agent.port(), "?last_event_id=0&type=job.ended&guest=" + other}.next().id;
  for (const auto& guest : {one, other})
    for (const auto* action : {"reboot", "start"})
      h.outcome(h.http.post("/guests/" + guest + "/" + action).job());
  const auto with = [&](const std::string& filter) {
    return event_reader{h.agent.port(), "?last_event_id=" + last + "&" + filter};
  };
  auto reboots = with("guest=" + one + "&action=reboot");
  CHECK(types_of(reboots.until("job.ended")) == names{"job.queued", "job.started", "job.stage_done", "job.ended"});
  auto ends = with("type=job.ended,guest.deleted&action=start&action=delete");
  CHECK(text_at(ends.next().data, "guest") == one);
  CHECK(text_at(ends.next().data, "guest") == other);
  h.http.del("/guests/" + one);
  CHECK(ends.next().type == "guest.deleted");
  auto guests = with("type=guest");
  CHECK(guests.next().type == "guest.deleted");
  auto images = with("guest=agent");
  h.http.post("/images", R"({"id":"i"})");
  CHECK(text_at(images.next().data, "action") == "fetchImage");
}

TEST_CASE("filters and places that cannot be understood are refused") {
  house h;
  for (const auto* query : {"guest=", "guest=x", "action=fly", "action=cpuMetrics", "action=", "type=nonsense",
                            "type=", "type=job.", "last_event_id=x", "last_event_id=", "last_event_id=-1",
                            "last_event_id=1.5", "last_event_id=zz-1", "last_event_id=ab-"}) {
    INFO(query);
    const auto answer = h.http.get(std::string{"/events?"} + query);
    CHECK(answer.status == 400);
    CHECK_FALSE(error_message(answer).empty());
  }
  CHECK(h.http.get("/events", {"Last-Event-ID: x"}).status == 400);
  CHECK(h.http.post("/events").status == 405);
}

TEST_CASE("readers are bounded in number") {
  house h{[](config_file& c) { c.top["http"] = R"({"max_event_readers":1})"; }};
  event_reader first{h.agent.port()};
  const auto answer = h.http.get("/events");
  CHECK(answer.status == 503);
  CHECK(answer.header("retry-after") == "1");
  CHECK_FALSE(error_message(answer).empty());
  CHECK(h.http.get("/metrics").body.find("\nmistify_http_event_readers 1\n") != std::string::npos);
}

TEST_CASE("streams end cleanly when the agent stops, after what still happened") {
  house h;
  gate door;
  const auto guest = h.create_guest();
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  event_reader reader{h.agent.port()};
  h.http.post("/guests/" + guest + "/reboot");
  CHECK(reader.until("job.started").size() == 2);
  h.agent.running().signal(SIGTERM);
  door.open();
  CHECK(types_of(reader.until("job.ended")) == names{"job.stage_done", "job.ended"});
  CHECK(reader.ends());
  CHECK(h.agent.running().wait() == 0);
}

TEST_CASE("curl follows events, and comes back where it was") {
  house h;
  h.create_guest();
  const auto address = "http://127.0.0.1:" + std::to_string(h.agent.port()) + "/events";
  const auto first = run_tool("timeout 1 curl -sN '" + address + "?last_event_id=0&type=job'; true");
  INFO(first.output);
  CHECK(first.output.find("event: job.ended\ndata: {") != std::string::npos);
  CHECK(first.output.find("event: guest.created") == std::string::npos);
  const auto again = run_tool("timeout 1 curl -siN -H 'Last-Event-ID: 4' " + address + "; true");
  INFO(again.output);
  CHECK(again.output.find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(again.output.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  const std::regex from_there{"id: ([0-9a-f]{16})-4\n\nid: \\1-5\nevent: job.ended\n"};
  CHECK(std::regex_search(again.output, from_there));
}
