#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

TEST_CASE("a guest is deleted by DELETE, by POST and by GET") {
  house h;
  for (const auto* how : {"DELETE ", "POST /delete", "GET /delete"}) {
    INFO(how);
    const std::string words{how};
    const auto space = words.find(' ');
    const auto id = h.create_guest();
    const auto answer = h.http.send(words.substr(0, space), "/guests/" + id + words.substr(space + 1));
    CHECK(answer.status == 202);
    CHECK(text_at(answer.body, "id") == id);
    CHECK(h.outcome(answer.job()) == "Complete");
    CHECK(h.http.get("/guests/" + id).status == 404);
    CHECK(h.http.get("/jobs/" + answer.job()).status == 200);
    CHECK(h.http.get("/guests/" + id + "/jobs/" + answer.job()).status == 200);
    CHECK(count(h.http.get("/guests/" + id + "/jobs").body) == 2);
  }
  CHECK(h.http.get("/guests").body == "[]\n");
}

TEST_CASE("the guest is there until the delete is complete") {
  house h;
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Delete", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const auto job = h.http.del("/guests/" + id).job();
  CHECK(h.sub.wait_for("Test.Delete", 1));
  CHECK(h.http.get("/guests/" + id).status == 200);
  door.open();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.http.get("/guests/" + id).status == 404);
}

TEST_CASE("a delete that fails leaves the guest") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Delete", [](const call& c) { return rpc_error(c, R"("busy")"); });
  CHECK(h.outcome(h.http.del("/guests/" + id).job()) == "Error");
  CHECK(h.http.get("/guests/" + id).status == 200);
  h.sub.on("Test.Delete", echo);
  CHECK(h.outcome(h.http.del("/guests/" + id).job()) == "Complete");
}

TEST_CASE("jobs behind a delete end with it, and nothing brings the guest back") {
  house h;
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Delete", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const auto deleting = h.http.del("/guests/" + id).job();
  CHECK(h.sub.wait_for("Test.Delete", 1));
  const auto behind = h.http.post("/guests/" + id + "/reboot").job();
  const auto snapshot = h.http.post("/guests/" + id + "/snapshots", R"({"dest":"late"})").job();
  door.open();
  CHECK(h.outcome(deleting) == "Complete");
  for (const auto& job : {behind, snapshot}) {
    CHECK(h.outcome(job) == "Error");
    CHECK(h.message(job).find("guest deleted") != std::string::npos);
  }
  CHECK(h.sub.calls("Test.Reboot").empty());
  CHECK(h.sub.calls("Test.CreateSnapshot").empty());
  CHECK(h.http.get("/guests/" + id).status == 404);
  CHECK(h.http.get("/guests").body == "[]\n");
}

TEST_CASE("a metadata change during a delete does not bring the guest back") {
  house h;
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Delete", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const auto job = h.http.del("/guests/" + id).job();
  CHECK(h.sub.wait_for("Test.Delete", 1));
  CHECK(h.http.patch("/guests/" + id + "/metadata", R"({"a":"b"})").status == 200);
  door.open();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.http.patch("/guests/" + id + "/metadata", R"({"a":"b"})").status == 404);
  CHECK(h.http.get("/guests/" + id).status == 404);
}

TEST_CASE("a forced delete that a sudden death interrupts goes on behind the stage that was out") {
  house h{[](config_file& config) {
    config.stages("delete", R"({"service":"test","method":"Test.Delete"},{"service":"test","method":"Test.Disks"})");
  }};
  const auto id = h.create_guest();
  h.sub.on("Test.Delete", [](const call&) { return hang(); });
  const auto job = h.http.del("/guests/" + id + "?force=true").job();
  REQUIRE(h.sub.wait_for("Test.Delete", 1));
  h.agent.kill_and_start();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.message(job) == "forced past: interrupted by an agent restart in stage 1 (Test.Delete)");
  CHECK(h.http.get("/guests/" + id).status == 404);
  CHECK(h.sub.calls("Test.Delete").size() == 1);
  CHECK(h.sub.calls("Test.Disks").size() == 1);
}

TEST_CASE("a second delete of an image or a snapshot is answered with the first one's job") {
  gate door;
  house h;
  const auto id = h.create_guest();
  for (const auto* method : {"Test.DeleteImage", "Test.DeleteSnapshot"})
    h.sub.on(method, [&](const call& c) {
      door.wait();
      return result(c, "{}");
    });
  h.sub.on("Test.GetImage", [](const call& c) { return result(c, R"({"images":[{"id":"i","type":"kvm"}]})"); });
  for (const auto& path : {std::string{"/images/i"}, "/guests/" + id + "/snapshots/s"}) {
    INFO(path);
    const auto first = h.http.del(path), second = h.http.send("DELETE", path, "", {"Idempotency-Key: " + path});
    CHECK(first.status == 202);
    CHECK(second.status == 202);
    CHECK(second.job() == first.job());
  }
  CHECK(count(h.http.get("/jobs").body) == 3);
  door.open();
}
