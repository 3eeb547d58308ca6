#include "house.hpp"
#include "lowered_limit.hpp"
#include "small_disk.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <unistd.h>

using namespace mistify::test;
namespace fs = std::filesystem;

namespace {

/// A house whose agent was killed while a job ran: the next start has to write how that job ended.
struct killed_house {
  gate door;
  house h;
  std::string guest = h.create_guest(), job;

  killed_house() {
    h.sub.on("Test.Reboot", [this](const call& c) {
      door.wait();
      return echo(c);
    });
    job = h.http.post("/guests/" + guest + "/reboot").job();
    CHECK(h.sub.wait_for("Test.Reboot", 1));
    h.agent.running().signal(SIGKILL);
    h.agent.running().wait();
    door.open();
  }

  /// No file may grow: as good as a full disk.
  void start_on_full_disk() {
    const lowered_limit full{RLIMIT_FSIZE, fs::file_size(h.agent.database() + "-wal")};
    h.agent.start();
  }

  void make_room() {
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    CHECK(::prlimit(h.agent.running().id(), RLIMIT_FSIZE, &none, nullptr) == 0);
  }
};

} // namespace

TEST_CASE("a start on a full disk serves reads, says why it is not ready, and goes on by itself when there is room") {
  killed_house k;
  auto& h = k.h;
  k.start_on_full_disk();
  CHECK(h.http.get("/guests/" + k.guest).status == 200);
  CHECK(text_at(h.http.get("/jobs/" + k.job).body, "Status") == "Running");
  const auto ready = h.http.get("/readyz");
  CHECK(ready.status == 503);
  CHECK(at(ready.body, "database/ok") == "false");
  CHECK_FALSE(text_at(ready.body, "database/error").empty());
  CHECK(h.http.post("/guests", R"({"memory":1})").status == 503);
  CHECK(h.http.patch("/metadata", R"({"a":"b"})").status == 503);
  CHECK(h.http.post("/guests/" + k.guest + "/start").status == 503);
  k.make_room();
  CHECK(eventually([&] { return h.http.get("/readyz").status == 200; }));
  CHECK(h.outcome(k.job) == "Error");
  CHECK(h.message(k.job).find("interrupted by an agent restart") != std::string::npos);
  CHECK(h.outcome(h.http.post("/guests/" + k.guest + "/start").job()) == "Complete");
}

TEST_CASE("a start on a full disk serves reads after an orderly stop too") {
  if (::geteuid() != 0) {
    WARN("a small disk can be mounted only by root");
    return;
  }
  const small_disk disk;
  house h{[&](config_file& c) {
    c.top["dbpath"] = '"' + (disk.path() / "agent.db").string() + '"';
    c.top["limits"] = R"({"free_space":0})"; // else new work would be refused before
  }};
  const auto guest = h.create_guest();
  CHECK(h.agent.stop() == 0);
  disk.fill();
  h.agent.start();
  CHECK(h.http.get("/guests/" + guest).status == 200);
  const auto ready = h.http.get("/readyz");
  CHECK(ready.status == 503);
  CHECK(text_at(ready.body, "database/error").find("full") != std::string::npos);
  CHECK(h.http.post("/guests/" + guest + "/reboot").status == 503);
  disk.make_room();
  CHECK(eventually([&] { return h.http.get("/readyz").status == 200; }));
  CHECK(h.outcome(h.http.post("/guests/" + guest + "/reboot").job()) == "Complete");
  CHECK(h.agent.stop() == 0);
}

TEST_CASE("an agent that could not write its recovery ends when it is told to") {
  killed_house k;
  k.start_on_full_disk();
  CHECK(k.h.agent.stop() == 0);
  k.h.agent.start();
  CHECK(k.h.outcome(k.job) == "Error");
}

TEST_CASE("a database that is removed under the agent takes nothing, and /readyz says so at once") {
  house h;
  const auto guest = h.create_guest();
  CHECK(h.http.get("/readyz").status == 200);
  for (const auto* suffix : {"", "-wal", "-shm"})
    fs::remove(h.agent.database() + suffix);
  const auto ready = h.http.get("/readyz");
  CHECK(ready.status == 503);
  CHECK(text_at(ready.body, "database/error").find("was removed") != std::string::npos);
  CHECK(h.http.post("/guests", R"({"memory":1})").status == 503);
  CHECK(h.http.get("/guests/" + guest).status == 200);
  CHECK(h.agent.stop() == 0);
}

TEST_CASE("a second delete gets the first one's job, and a create meanwhile is a conflict") {
  house h;
  gate door;
  const std::string id = "0a1b2c3d-0000-4000-8000-00000000aaaa", body = R"({"id":")" + id + R"(","memory":512})";
  h.outcome(h.http.post("/guests", body).job());
  h.sub.on("Test.Delete", [&](const call& c) {
    door.wait();
    return rpc_error(c, R"("the disk is busy")");
  });
  const auto first = h.http.del("/guests/" + id).job();
  CHECK(h.sub.wait_for("Test.Delete", 1));
  const auto second = h.http.post("/guests/" + id + "/delete");
  CHECK(second.status == 202);
  CHECK(second.job() == first);
  CHECK(text_at(second.body, "id") == id);
  CHECK(h.http.post("/guests", body).status == 409);
  CHECK(h.http.del("/guests/" + id + "?force=true").job() == first);
  door.open();
  CHECK(h.outcome(first) == "Complete"); // since it was forced meanwhile
  CHECK(h.http.get("/guests/" + id).status == 404);
  CHECK(h.http.post("/guests", body).status == 202);
}
