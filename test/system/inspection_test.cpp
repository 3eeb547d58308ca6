#include "house.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace mistify::test;

namespace {

/// The ages of what is told are numbers of seconds.
double number_at(std::string_view text, std::string_view path) {
  return std::stod(at(text, path));
}

} // namespace

TEST_CASE("a hanging sub-agent's call is on top of /debug/actors, with its age, its guest and its job") {
  house h;
  h.create_guest();
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  const auto job = h.http.send("POST", "/guests/" + id + "/reboot", "", {"X-Request-ID: night-shift"}).job();
  const auto behind = h.http.post("/guests/" + id + "/suspend").job();
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  std::string body;
  REQUIRE(eventually([&] {
    body = h.http.get("/debug/actors?patience=1s").body;
    return text_at(body, "actors/0/state") == "stuck" && text_at(body, "actors/1/state") == "stuck";
  }));
  CHECK(text_at(body, "actors/0/id") == "service:test");
  CHECK(text_at(body, "actors/0/stuck").starts_with("waits for the answer of Test.Reboot for "));
  CHECK(text_at(body, "actors/0/calls/0/method") == "Test.Reboot");
  CHECK(text_at(body, "actors/0/calls/0/guest") == id);
  CHECK(text_at(body, "actors/0/calls/0/job") == job);
  CHECK(number_at(body, "actors/0/calls/0/age") >= 1);
  CHECK(text_at(body, "actors/1/id") == "guest_runner:" + id);
  CHECK(text_at(body, "actors/1/work/job") == job);
  CHECK(text_at(body, "actors/1/work/action") == "reboot");
  CHECK(text_at(body, "actors/1/work/request") == "night-shift");
  CHECK(at(body, "actors/1/work/stage") == "1");
  CHECK(number_at(body, "actors/1/age") >= 1);
  CHECK(text_at(body, "actors/1/queue/0/job") == behind);
  CHECK(at(body, "totals/stuck") == "2");
  CHECK(at(body, "totals/calls") == "1");
  CHECK(at(body, "totals/queued") == "1");
  CHECK(at(body, "totals/silent") == "0");
  const auto stuck = h.http.get("/debug/actors?patience=1s&stuck=true");
  CHECK(at(stuck.body, "found") == "2");
  CHECK(at(h.http.get("/debug/actors?stuck=true").body, "found") == "0"); // half a minute is what everybody is given
}

TEST_CASE("actors are found by kind, guest, and any text; the idle are left out when they are not wanted") {
  house h;
  const auto id = h.create_guest(), other = h.create_guest();
  const auto found = [&](const std::string& query) { return at(h.http.get("/debug/actors?" + query).body, "found"); };
  CHECK(found("kind=guest_runner") == "3"); // with that of `agent`
  CHECK(found("guest=" + id) == "1");
  CHECK(found("search=" + id.substr(3, 20)) == "1");
  CHECK(found("search=JOB_LOG") == "1");
  CHECK(found("search=nobody") == "0");
  CHECK(eventually([&] { return found("idle=false") == "0"; }));
  const auto few = h.http.get("/debug/actors?limit=2").body;
  CHECK(count(few, "actors") == 2);
  CHECK(at(few, "found") == at(few, "totals/actors"));
  for (const auto* query : {"limit=x", "patience=soon", "idle=maybe", "stuck=2"}) {
    INFO(query);
    CHECK(h.http.get(std::string{"/debug/actors?"} + query).status == 400);
  }
}

TEST_CASE("one actor is told with its history, and a missing one is not found") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [](const call& c) { return rpc_error(c, R"("no domain")"); });
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  REQUIRE(h.outcome(job) == "Error");
  // The end is on disk a moment before the runner receives the reply.
  std::string runner;
  REQUIRE(eventually([&] {
    runner = h.http.get("/debug/actors/guest_runner%3A" + id).body;
    return text_at(runner, "state") == "idle";
  }));
  CHECK(text_at(runner, "history/0/text") == "reboot ended in an error: no domain");
  CHECK(text_at(runner, "history/0/job") == job);
  CHECK(text_at(runner, "history/3/text") == "create begins");
  CHECK(text_at(runner, "last_error/text") == text_at(runner, "history/0/text"));
  CHECK(h.http.get("/debug/actors/job_log").status == 200);
  const auto missing = h.http.get("/debug/actors/guest_runner:none");
  CHECK(missing.status == 404);
  CHECK(error_message(missing) == "not found");
}

TEST_CASE("a browser gets a page at the same paths, and the debug guard is asked for both") {
  house h;
  for (const auto* path : {"/debug/actors", "/debug/actors/front"}) {
    const auto page = h.http.get(path, {"Accept: text/html,application/xhtml+xml,*/*;q=0.8"});
    CHECK(page.status == 200);
    CHECK(page.header("content-type") == "text/html; charset=utf-8");
    CHECK(page.header("content-security-policy").starts_with("default-src 'none'"));
    CHECK(page.header("vary").find("Accept,") != std::string::npos);
    CHECK(page.body.find("http:") == std::string::npos); // nothing from outside
    CHECK(page.body.find("https:") == std::string::npos);
    CHECK(h.http.get(path).header("content-type") == "application/json");
  }
  house closed{[](config_file& c) { c.top["debug"] = R"({"access":"off"})"; }};
  CHECK(closed.http.get("/debug/actors").status == 403);
  CHECK(closed.http.get("/debug/actors/front", {"Accept: text/html"}).status == 403);
}

TEST_CASE("looking does not wait for actors that drain") {
  house h{[](config_file& c) { c.top["drain_timeout"] = "60"; }};
  const auto id = h.create_guest();
  gate door;
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  h.http.post("/guests/" + id + "/reboot");
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  h.agent.running().signal(SIGTERM);
  CHECK(eventually([&] {
    return text_at(h.http.get("/debug/actors/front").body, "work/doing") ==
           "waits for runners that finish their stage: 1";
  }));
  door.open();
  CHECK(h.agent.running().wait() == 0);
}
