#include "house.hpp"
#include "log_lines.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace mistify::test;

TEST_CASE("the id of a request goes to its answer, its job's log lines and its calls to sub-agents") {
  house h;
  const auto id = h.create_guest();
  const auto path = "/guests/" + id + "/reboot";
  const auto answer = h.http.send("POST", path, "", {"X-Request-ID: order-66"});
  CHECK(answer.header("x-request-id") == "order-66");
  CHECK(h.outcome(answer.job()) == "Complete");
  CHECK(h.sub.calls("Test.Reboot").at(0).request_id == "order-66");
  h.http.get("/guests/" + id + "/metrics/cpu", {"X-Request-ID: look-1"});
  CHECK(h.sub.calls("Test.CpuMetrics").at(0).request_id == "look-1");
  h.http.get("/guests/" + id + "/snapshots", {"X-Request-ID: look-2"});
  CHECK(h.sub.calls("Test.ListSnapshots").at(0).request_id == "look-2");
  h.http.get("/images", {"X-Request-ID: look-3"});
  CHECK(h.sub.calls("Test.ListImages").at(0).request_id == "look-3");
  h.http.get("/guests/" + id + "/snapshots/s/download", {"X-Request-ID: look-4"});
  CHECK(h.sub.calls("/snapshots/download").at(0).request_id == "look-4");
  CHECK(eventually([&] { return log_lines(h.agent, {{"msg", "job ended"}, {"request_id", "order-66"}}).size() == 2; }));
}

TEST_CASE("a request without an id gets one, and one that is no id another") {
  house h;
  const auto made = h.http.get("/guests").header("x-request-id");
  CHECK_FALSE(made.empty());
  const auto odd = h.http.get("/nowhere", {"X-Request-ID: two words"});
  CHECK(odd.status == 404);
  CHECK(odd.header("x-request-id") != "two words");
  CHECK(odd.header("x-request-id") != made);
  const auto id = h.create_guest();
  const auto answer = h.http.post("/guests/" + id + "/start");
  CHECK(h.outcome(answer.job()) == "Complete");
  CHECK(h.sub.calls("Test.Start").at(0).request_id == answer.header("x-request-id"));
}

TEST_CASE("a job that goes on after a crash still has the id of its request") {
  house h{[](config_file& c) { c.stages("reboot", R"({"service":"test","method":"Test.Reboot","idempotent":true})"); }};
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  const auto job = h.http.send("POST", "/guests/" + id + "/reboot", "", {"X-Request-ID: before-the-crash"}).job();
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  h.agent.running().signal(SIGKILL);
  h.agent.running().wait();
  h.sub.on("Test.Reboot", echo);
  h.agent.start();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.sub.calls("Test.Reboot").at(1).request_id == "before-the-crash");
  CHECK(eventually([&] {
    return log_lines(h.agent, {{"msg", "job ended"}, {"job", job}, {"request_id", "before-the-crash"}}).size() == 2;
  }));
}

TEST_CASE("with the level debug each request and each call is a line with the id") {
  house h;
  h.http.send("PUT", "/debug/log-level", R"({"level":"debug"})");
  const auto id = h.create_guest();
  h.http.get("/guests/" + id + "/metrics/cpu", {"X-Request-ID: seen"});
  CHECK(eventually([&] {
    return log_lines(h.agent, {{"level", "debug"}, {"msg", "request"}, {"request_id", "seen"}, {"status", "200"}})
               .size() == 1 &&
           log_lines(h.agent, {{"msg", "call"}, {"request_id", "seen"}, {"method", "Test.CpuMetrics"}}).size() == 1;
  }));
}
