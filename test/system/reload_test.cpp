#include "house.hpp"
#include "log_lines.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

// Actions, services and limits that SIGHUP changes.

using namespace mistify::test;
using Catch::Contains;

namespace {

/// An agent whose config changes while it runs.
struct changing {
  explicit changing(const std::function<void(config_file&)>& change = {}) : h{change} {
    if (change)
      change(file);
  }

  /// Writes the file, and returns once the agent has read it.
  void reload() {
    const auto before = log_lines(h.agent, {{"msg", "config read again"}}).size();
    send();
    REQUIRE(eventually([&] { return log_lines(h.agent, {{"msg", "config read again"}}).size() > before; }));
  }
  void send() {
    h.agent.rewrite_config(file.text());
    h.agent.running().signal(SIGHUP);
  }

  response reboot(const std::string& guest) const { return h.http.post("/guests/" + guest + "/reboot"); }

  house h;
  config_file file{h.sub.port()};
};

std::string stage(const std::string& service, const std::string& method) {
  return R"({"service":")" + service + R"(","method":")" + method + "\"}";
}

std::string service_at(const sub_agent& where, const std::string& more = "") {
  return R"({"port":)" + std::to_string(where.port()) + more + "}";
}

script slow_echo(gate& door) {
  return [&door](const call& asked) {
    door.wait();
    return echo(asked);
  };
}

} // namespace

TEST_CASE("an action works after SIGHUP has read it, and is not configured once it is gone") {
  changing c{[](config_file& file) { file.actions.erase("reboot"); }};
  const auto guest = c.h.create_guest();
  CHECK(c.reboot(guest).status == 404);
  c.file.stages("reboot", stage("test", "Test.Reboot"));
  c.reload();
  CHECK(c.h.outcome(c.reboot(guest).job()) == "Complete");
  CHECK(c.h.sub.calls("Test.Reboot").size() == 1);
  c.file.actions.erase("reboot");
  c.reload();
  const auto gone = c.reboot(guest);
  CHECK(gone.status == 404);
  CHECK_THAT(error_message(gone), Contains("Not configured"));
}

TEST_CASE("a job that is under way keeps its stages when SIGHUP takes them away") {
  changing c{
    [](config_file& file) { file.stages("reboot", stage("test", "Test.One") + "," + stage("test", "Test.Two")); }};
  gate door;
  c.h.sub.on("Test.One", slow_echo(door));
  const auto guest = c.h.create_guest();
  const auto runs = c.reboot(guest).job(), waits = c.reboot(guest).job();
  REQUIRE(c.h.sub.wait_for("Test.One", 1));
  c.file.actions.erase("reboot");
  c.reload();
  door.open();
  CHECK(c.h.outcome(runs) == "Complete");
  CHECK(c.h.outcome(waits) == "Complete");
  CHECK(c.h.sub.calls("Test.Two").size() == 2);
}

TEST_CASE("a service that SIGHUP moves is called at its new port, and a call in flight ends at the old one") {
  changing c;
  sub_agent moved;
  gate door;
  c.h.sub.on("Test.Reboot", slow_echo(door));
  const auto one = c.h.create_guest(), two = c.h.create_guest();
  const auto in_flight = c.reboot(one).job();
  REQUIRE(c.h.sub.wait_for("Test.Reboot", 1));
  c.file.services["test"] = service_at(moved);
  c.reload();
  CHECK(c.h.outcome(c.reboot(two).job()) == "Complete");
  CHECK(moved.calls("Test.Reboot").size() == 1);
  door.open();
  CHECK(c.h.outcome(in_flight) == "Complete");
  CHECK(c.h.sub.calls("Test.Reboot").size() == 1);
}

TEST_CASE("SIGHUP adds a service, and one that is gone serves the jobs that began with it") {
  changing c{[](config_file& file) {
    file.stages("reboot", stage("download", "Test.Slow") + "," + stage("download", "Test.Last"));
  }};
  sub_agent added;
  gate door;
  c.h.sub.on("Test.Slow", slow_echo(door));
  const auto one = c.h.create_guest(), two = c.h.create_guest();
  const auto old = c.reboot(one).job();
  REQUIRE(c.h.sub.wait_for("Test.Slow", 1));
  c.file.services.erase("download");
  c.file.services["added"] = service_at(added);
  c.file.stages("downloadSnapshot", stage("added", "Test.Download"));
  c.file.stages("reboot", stage("added", "Test.Reboot"));
  c.reload();
  CHECK(c.h.outcome(c.reboot(two).job()) == "Complete");
  CHECK(added.calls("Test.Reboot").size() == 1);
  door.open();
  CHECK(c.h.outcome(old) == "Complete");
  CHECK(c.h.sub.calls("Test.Last").size() == 1);
}

TEST_CASE("more places at a service begin what waits for one, and fewer let no more begin") {
  changing c;
  c.file.services["test"] = service_at(c.h.sub, R"(,"max_pending":1)");
  c.reload();
  gate door;
  std::vector<std::string> guests;
  for (int i = 0; i < 3; ++i)
    guests.push_back(c.h.create_guest());
  c.h.sub.on("Test.Reboot", slow_echo(door));
  const auto one = c.reboot(guests[0]).job();
  REQUIRE(c.h.sub.wait_for("Test.Reboot", 1));
  const auto two = c.reboot(guests[1]).job(), three = c.reboot(guests[2]).job();
  CHECK(c.h.becomes(two, "Queued"));
  c.file.services["test"] = service_at(c.h.sub, R"(,"max_pending":2)");
  c.reload();
  REQUIRE(c.h.sub.wait_for("Test.Reboot", 2));
  CHECK(c.h.becomes(three, "Queued"));
  c.file.services["test"] = service_at(c.h.sub, R"(,"max_pending":1)");
  c.reload();
  door.open();
  for (const auto& job : {one, two, three})
    CHECK(c.h.outcome(job) == "Complete");
  CHECK(c.h.sub.most_under_way() == 2);
}

TEST_CASE("limits that SIGHUP lowers and raises hold at once, for queues and for what is stored") {
  changing c;
  gate door;
  c.h.sub.on("Test.Reboot", slow_echo(door));
  const auto guest = c.h.create_guest();
  const auto runs = c.reboot(guest).job();
  REQUIRE(c.h.sub.wait_for("Test.Reboot", 1));
  const auto first = c.reboot(guest).job(), second = c.reboot(guest).job();
  c.file.top["limits"] = R"({"queue":1,"metadata_bytes":100,"guests":1,"nesting":3})";
  c.reload();
  CHECK(c.reboot(guest).status == 429);
  CHECK(c.h.http.patch("/metadata", R"({"k":")" + std::string(200, 'x') + "\"}").status == 413);
  CHECK(c.h.http.post("/guests", "{}").status == 429);
  CHECK(c.h.http.post("/guests", R"({"a":[[[[1]]]]})").status == 400);
  CHECK(count(c.h.http.get("/config").body, "restart_needed") == 0);
  c.file.top.erase("limits");
  c.reload();
  const auto third = c.reboot(guest);
  CHECK(third.status == 202);
  CHECK(c.h.http.patch("/metadata", R"({"k":")" + std::string(200, 'x') + "\"}").status == 200);
  door.open();
  for (const auto& job : {runs, first, second, third.job()})
    CHECK(c.h.outcome(job) == "Complete");
}

TEST_CASE("a config that cannot be used changes no action, service or limit, and the log has each mistake") {
  changing c;
  const auto guest = c.h.create_guest();
  const auto good = c.file;
  c.file.top["limits"] = R"({"guests":1,"queue":"x"})";
  c.file.stages("shutdown", stage("nowhere", "Test.Shutdown"));
  c.file.services["test"] = R"({"port":1})";
  c.send();
  REQUIRE(eventually([&] { return c.h.agent.log().find("cannot be read again") != std::string::npos; }));
  CHECK(eventually([&] {
    const auto log = c.h.agent.log();
    return log.find("limits.queue: must be") != std::string::npos && log.find("nowhere") != std::string::npos;
  }));
  CHECK(c.h.outcome(c.reboot(guest).job()) == "Complete");
  CHECK(c.h.outcome(c.h.http.post("/guests/" + guest + "/shutdown").job()) == "Complete");
  c.h.create_guest();
  c.file = good;
  c.reload();
  CHECK(c.h.outcome(c.reboot(guest).job()) == "Complete");
}

TEST_CASE("only what SIGHUP cannot change is said to need a restart") {
  changing c;
  c.file.top["limits"] = R"({"queue":7,"events":500,"waiting_bytes":1000000})";
  c.file.top["drain_timeout"] = "5";
  c.file.top["debug"] = R"({"access":"off"})";
  c.file.top["http"] = R"({"get_actions":false,"max_body":100000})";
  c.file.services["test"] = service_at(c.h.sub, R"(,"timeout":5)");
  c.reload();
  CHECK(at(c.h.http.get("/config").body, "restart_needed") == R"(["http.max_body"])");
  CHECK(c.h.http.get("/debug/actors").status == 403);
  CHECK(c.h.http.get("/guests/" + c.h.create_guest() + "/reboot").status == 405);
}
