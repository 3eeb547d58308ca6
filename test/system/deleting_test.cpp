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
