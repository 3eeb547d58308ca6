#include "house.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace mistify::test;

namespace {

/// Everything that must be the same after a restart.
std::string state_of(const house& h) {
  return h.http.get("/guests").body + h.http.get("/jobs").body + h.http.get("/metadata").body;
}

struct lived : house {
  lived() {
    id = create_guest(R"("memory":512,"disks":[{"size":18446744073709551615}],"future":[1.50])");
    http.patch("/metadata", R"({"rack":"7"})");
    http.patch("/guests/" + id + "/metadata", R"({"owner":"me"})");
    ended(http.post("/guests/" + id + "/reboot").job());
    sub.on("Test.Start", [](const call& c) { return rpc_error(c, R"("invalid argument")"); });
    ended(http.post("/guests/" + id + "/start").job());
    ended(http.post("/images", R"({"id":"i"})").job());
  }
  std::string id;
};

} // namespace

TEST_CASE("guests, metadata and jobs survive a restart") {
  lived h;
  const auto before = state_of(h);
  CHECK(count(h.http.get("/jobs").body) == 4);
  CHECK(h.agent.stop() == 0);
  h.agent.start();
  CHECK(state_of(h) == before);
}

TEST_CASE("guests, metadata and jobs survive a sudden death") {
  lived h;
  const auto before = state_of(h);
  h.agent.kill_and_start();
  CHECK(state_of(h) == before);
}

TEST_CASE("a guest works on after a restart") {
  lived h;
  h.agent.stop();
  h.agent.start();
  CHECK(h.outcome(h.http.post("/guests/" + h.id + "/reboot").job()) == "Complete");
  CHECK(h.http.get("/guests/" + h.id + "/metrics/cpu").status == 200);
  CHECK(h.outcome(h.http.del("/guests/" + h.id).job()) == "Complete");
  h.agent.stop();
  h.agent.start();
  CHECK(h.http.get("/guests").body == "[]\n");
  CHECK(count(h.http.get("/guests/" + h.id + "/jobs").body) == 5);
}

TEST_CASE("a job whose 202 has left is there after a sudden death") {
  house h;
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const auto running = h.http.post("/guests/" + id + "/reboot").job();
  const auto queued = h.http.post("/guests/" + id + "/start").job();
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  h.agent.kill_and_start();
  door.open();
  // The call had left: whether it was done nobody knows. The one behind it had not: it runs on.
  CHECK(h.outcome(running) == "Error");
  CHECK(h.message(running) == "interrupted by an agent restart in stage 1 (Test.Reboot)");
  CHECK(h.outcome(queued) == "Complete");
  CHECK(h.sub.calls("Test.Reboot").size() == 1);
}

TEST_CASE("on SIGTERM what runs is waited for, and what waits stays queued") {
  house h;
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const auto running = h.http.post("/guests/" + id + "/reboot").job();
  const auto queued = h.http.post("/guests/" + id + "/start").job();
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  h.agent.running().signal(SIGTERM);
  CHECK_FALSE(eventually([&] { return !h.agent.alive(); }, std::chrono::milliseconds{300}));
  door.open();
  CHECK(h.agent.running().wait() == 0);
  CHECK(h.sub.calls("Test.Start").empty());
  h.agent.start();
  CHECK(h.outcome(running) == "Complete");
  CHECK(h.outcome(queued) == "Complete");
}

TEST_CASE("a second signal does not wait for what runs, as the log says") {
  house h;
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  h.http.post("/guests/" + id + "/reboot");
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  h.agent.running().signal(SIGTERM);
  REQUIRE(eventually([&] { return h.agent.log().find("\"stopping\"") != std::string::npos; }));
  h.agent.running().signal(SIGHUP); // asks for nothing any more
  h.agent.running().signal(SIGTERM);
  CHECK(h.agent.running().wait() == 1);
  CHECK(h.agent.log().find("second signal") != std::string::npos);
  door.open();
}

TEST_CASE("an idle agent stops at once on SIGTERM and on SIGINT") {
  house h;
  for (const int number : {SIGTERM, SIGINT}) {
    const auto begin = std::chrono::steady_clock::now();
    h.agent.running().signal(number);
    CHECK(h.agent.running().wait() == 0);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{5});
    h.agent.start();
  }
}

TEST_CASE("a database that is none is refused with a clear line, and left as it is") {
  const temp_dir dir;
  const std::string text = "this is no database, but somebody may want it\n";
  const auto file = dir.write("agent.db", text);
  const auto run =
    run_agent({"-a", "127.0.0.1:0", "-c", dir.write("agent.json", R"({"dbpath":)" + json_string(file) + "}")});
  CHECK(run.code == 1);
  CHECK(run.err.find("agent.db") != std::string::npos);
  CHECK(read_text(file) == text);
}
