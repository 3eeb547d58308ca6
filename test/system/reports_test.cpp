#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

namespace {

std::string state_of(const house& h, const std::string& id) {
  return text_at(h.http.get("/guests/" + id).body, "state");
}

} // namespace

TEST_CASE("a guest that changes by itself has the state that its sub-agent reports, also after a crash") {
  house h;
  const auto id = h.create_guest(R"("memory":512,"note":"kept")");
  const auto answer = h.http.put("/guests/" + id + "/state", R"({"state":"shutoff"})");
  CHECK(answer.status == 200);
  CHECK(answer.job().empty());
  CHECK(answer.body == h.http.get("/guests/" + id).body);
  CHECK(text_at(answer.body, "state") == "shutoff");
  CHECK(text_at(answer.body, "note") == "kept");
  // Before the kill: lines that wait to be written are lost with it.
  CHECK(eventually([&] { return h.agent.log().find(R"("msg":"guest changed by itself")") != std::string::npos; }));
  h.agent.kill_and_start();
  CHECK(state_of(h, id) == "shutoff");
}

TEST_CASE("a report sets nothing going") {
  house h;
  const auto id = h.create_guest();
  const auto calls = h.sub.calls().size();
  const auto jobs = h.http.get("/jobs").body;
  CHECK(h.http.put("/guests/" + id + "/state", R"({"state":"crashed"})").status == 200);
  CHECK(h.http.get("/jobs").body == jobs);
  CHECK(h.sub.calls().size() == calls);
}

TEST_CASE("only states that a guest can be in are taken, and only of guests that are there") {
  house h;
  const auto id = h.create_guest();
  const auto before = state_of(h, id);
  for (const auto* body :
       {R"({"state":"create"})", R"({"state":"error"})", R"({"state":""})", R"({"state":1})", R"({"state":null})", "{}",
        "[]", "", "{", R"({"state":"shutoff"} x)", R"({"state":"shutoff","state_reason":"us\ner"})"}) {
    INFO(body);
    const auto answer = h.http.put("/guests/" + id + "/state", body);
    CHECK(answer.status == 400);
    CHECK_FALSE(error_message(answer).empty());
  }
  CHECK(state_of(h, id) == before);
  CHECK(h.http.put("/guests/0a1b2c3d-0000-4000-8000-000000000009/state", R"({"state":"shutoff"})").status == 404);
}

TEST_CASE("a report that comes while a job of the guest runs is to be made again") {
  house h;
  gate door;
  const auto id = h.create_guest();
  const auto other = h.create_guest();
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  CHECK(h.http.put("/guests/" + id + "/state", R"({"state":"shutoff"})").status == 409);
  CHECK(h.http.put("/guests/" + other + "/state", R"({"state":"shutoff"})").status == 200);
  door.open();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.http.put("/guests/" + id + "/state", R"({"state":"shutoff"})").status == 200);
  CHECK(state_of(h, id) == "shutoff");
}

TEST_CASE("reports that the config switches off are refused") {
  house h{[](config_file& c) { c.top["reports"] = R"({"access":"off"})"; }};
  const auto id = h.create_guest();
  const auto answer = h.http.put("/guests/" + id + "/state", R"({"state":"shutoff"})");
  CHECK(answer.status == 403);
  CHECK(error_message(answer).find("reports.access") != std::string::npos);
}
