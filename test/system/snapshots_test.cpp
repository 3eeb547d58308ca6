#include "house.hpp"

#include <catch2/catch.hpp>

#include <set>

#include <chrono>

using namespace mistify::test;

namespace {

script snapshots(const std::string& list) {
  return [=](const call& c) { return result(c, R"({"snapshots":[)" + list + "]}"); };
}

struct with_guest : house {
  using house::house;
  std::string id = create_guest();
  std::string guest = "/guests/" + id;
  std::string disk = guest + "/disks/1";

  /// What the only call of a method was sent.
  std::string sent(const std::string& method) const { return sub.calls(method).at(0).params; }
};

} // namespace

TEST_CASE("snapshots of a guest and of a disk are listed") {
  with_guest h;
  CHECK(h.http.get(h.guest + "/snapshots").body == "[]\n");
  h.sub.on("Test.ListSnapshots", snapshots(R"({"id":"guests/x@a","size":18446744073709551615},{"id":"b","size":0})"));
  const auto answer = h.http.get(h.disk + "/snapshots");
  CHECK(answer.status == 200);
  CHECK(answer.job().empty());
  CHECK(answer.body == R"([{"id":"guests/x@a","size":18446744073709551615},{"id":"b","size":0}])"
                       "\n");
  const auto calls = h.sub.calls("Test.ListSnapshots");
  REQUIRE(calls.size() == 2);
  CHECK(at(calls[0].params, "") ==
        R"({"id":"guests/)" + h.id + R"(","dest":"","recursive":false,"destroyMoreRecent":false})");
  CHECK(text_at(calls[1].params, "id") == "guests/" + h.id + "/disk-1");
  CHECK(at(calls[1].params, "recursive") == "false");
}

TEST_CASE("a snapshot is an array of one") {
  with_guest h;
  h.sub.on("Test.GetSnapshot", snapshots(R"({"id":"guests/x@a","size":5})"));
  const auto answer = h.http.get(h.guest + "/snapshots/a");
  CHECK(answer.status == 200);
  CHECK(answer.body == "[{\"id\":\"guests/x@a\",\"size\":5}]\n");
  CHECK(h.http.get(h.disk + "/snapshots/a").status == 200);
  const auto calls = h.sub.calls("Test.GetSnapshot");
  CHECK(text_at(calls.at(0).params, "id") == "guests/" + h.id + "@a");
  CHECK(at(calls.at(0).params, "recursive") == "false");
  CHECK(text_at(calls.at(1).params, "id") == "guests/" + h.id + "/disk-1@a");
}

TEST_CASE("snapshots that a sub-agent does not find are absent, and its other errors a bad gateway") {
  with_guest h;
  for (const auto& [text, status] : {std::pair{R"("not found")", 404}, {R"("not a snapshot")", 502}}) {
    for (const auto* method : {"Test.GetSnapshot", "Test.ListSnapshots"})
      h.sub.on(method, [text = text](const call& c) { return rpc_error(c, text); });
    for (const auto& path : {h.guest + "/snapshots/a", h.disk + "/snapshots/a", h.guest + "/snapshots"}) {
      const auto answer = h.http.get(path);
      CHECK(answer.status == status);
      CHECK_FALSE(error_message(answer).empty());
    }
  }
}

TEST_CASE("creating a snapshot answers with the queued job") {
  with_guest h;
  const auto answer = h.http.post(h.guest + "/snapshots", R"({"dest":"before-upgrade","destroyMoreRecent":true})");
  CHECK(answer.status == 202);
  REQUIRE_FALSE(answer.job().empty());
  CHECK(text_at(answer.body, "ID") == answer.job());
  CHECK(text_at(answer.body, "GuestID") == h.id);
  CHECK(text_at(answer.body, "Action") == "createSnapshot");
  CHECK(text_at(answer.body, "Status") == "Queued");
  CHECK(h.outcome(answer.job()) == "Complete");
  CHECK(at(h.sent("Test.CreateSnapshot"), "") ==
        R"({"id":"guests/)" + h.id + R"(","dest":"before-upgrade","recursive":true,"destroyMoreRecent":true})");
}

TEST_CASE("a snapshot of a disk is of that disk only") {
  with_guest h;
  h.ended(h.http.post(h.disk + "/snapshots", R"({"dest":"a","recursive":true})").job());
  CHECK(text_at(h.sent("Test.CreateSnapshot"), "id") == "guests/" + h.id + "/disk-1");
  CHECK(at(h.sent("Test.CreateSnapshot"), "recursive") == "false");
}

TEST_CASE("a snapshot without a name gets the time for one") {
  with_guest h;
  const auto now =
    std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  h.ended(h.http.post(h.guest + "/snapshots", "{}").job());
  const auto name = text_at(h.sent("Test.CreateSnapshot"), "dest");
  REQUIRE(name.starts_with("snap-"));
  CHECK(std::abs(std::stoll(name.substr(5)) - now.count()) < 60);
}

TEST_CASE("snapshots without a name get different ones within a second, and after a crash within it") {
  with_guest h;
  const auto ask = [&] { h.ended(h.http.post(h.guest + "/snapshots", "{}").job()); };
  ask();
  ask();
  h.agent.kill_and_start();
  ask();
  std::set<std::string> names;
  for (const auto& call : h.sub.calls("Test.CreateSnapshot"))
    names.insert(text_at(call.params, "dest"));
  CHECK(names.size() == 3);
}

TEST_CASE("deleting a snapshot is a job") {
  with_guest h;
  const auto answer = h.http.del(h.guest + "/snapshots/a");
  CHECK(answer.status == 202);
  CHECK(text_at(answer.body, "ID") == answer.job());
  CHECK(text_at(answer.body, "Action") == "deleteSnapshot");
  CHECK(h.outcome(answer.job()) == "Complete");
  CHECK(text_at(h.sent("Test.DeleteSnapshot"), "id") == "guests/" + h.id + "@a");
  CHECK(at(h.sent("Test.DeleteSnapshot"), "recursive") == "true");
  h.ended(h.http.del(h.disk + "/snapshots/a").job());
  CHECK(text_at(h.sub.calls("Test.DeleteSnapshot").at(1).params, "id") == "guests/" + h.id + "/disk-1@a");
  CHECK(at(h.sub.calls("Test.DeleteSnapshot").at(1).params, "recursive") == "false");
}

TEST_CASE("rolling back is a job that takes its options from the body, which may be absent") {
  with_guest h;
  const auto path = h.guest + "/snapshots/a/rollback";
  const auto answer = h.http.post(path, R"({"destroyMoreRecent":true,"recursive":true})");
  CHECK(answer.status == 202);
  CHECK(text_at(answer.body, "Action") == "rollbackSnapshot");
  CHECK(h.outcome(answer.job()) == "Complete");
  CHECK(text_at(h.sent("Test.RollbackSnapshot"), "id") == "guests/" + h.id + "@a");
  CHECK(at(h.sent("Test.RollbackSnapshot"), "destroyMoreRecent") == "true");
  CHECK(at(h.sent("Test.RollbackSnapshot"), "recursive") == "true");
  const auto bare = h.http.post(h.disk + "/snapshots/a/rollback");
  CHECK(bare.status == 202);
  CHECK(h.outcome(bare.job()) == "Complete");
  const auto second = h.sub.calls("Test.RollbackSnapshot").at(1).params;
  CHECK(text_at(second, "id") == "guests/" + h.id + "/disk-1@a");
  CHECK(at(second, "destroyMoreRecent") == "false");
  CHECK(at(second, "recursive") == "false");
}

TEST_CASE("a body that is not what it has to be is refused before a job is made") {
  with_guest h;
  for (const auto* body : {"{", "[]", R"({"destroyMoreRecent":"yes"})", "{} {}", R"({"Dest":"a"})",
                           R"({"destroyMoreRecent":false,"DestroyMoreRecent":true})"}) {
    INFO(body);
    CHECK(h.http.post(h.guest + "/snapshots/a/rollback", body).status == 400);
    CHECK(h.http.post(h.guest + "/snapshots", body).status == 400);
  }
  CHECK(h.http.post(h.guest + "/snapshots", R"({"dest":5})").status == 400);
  CHECK(count(h.http.get(h.guest + "/jobs").body) == 1);
}

TEST_CASE("snapshots of a container are not prefixed") {
  house h;
  const auto id = h.create_guest(R"("type":"container")");
  CHECK(h.http.get("/guests/" + id + "/snapshots").status == 200);
  CHECK(h.sub.calls("Test.ListSnapshots").size() == 1);
}

TEST_CASE("snapshots that are not configured are not found") {
  house h{[](config_file& c) {
    for (const auto* name : {"listSnapshots", "getSnapshot", "createSnapshot", "deleteSnapshot", "rollbackSnapshot"})
      c.actions.erase(name);
  }};
  const auto path = "/guests/" + h.create_guest() + "/snapshots";
  CHECK(error_message(h.http.get(path)) == "listSnapshots: Not configured");
  CHECK(error_message(h.http.get(path + "/a")) == "getSnapshot: Not configured");
  CHECK(error_message(h.http.post(path, "{}")) == "createSnapshot: Not configured");
  CHECK(error_message(h.http.del(path + "/a")) == "deleteSnapshot: Not configured");
  CHECK(error_message(h.http.post(path + "/a/rollback")) == "rollbackSnapshot: Not configured");
}

TEST_CASE("every stage of a snapshot's pipeline gets the same request, with its args") {
  with_guest h{[](config_file& c) {
    c.stages("createSnapshot", R"({"service":"test","method":"Test.One","args":{"a":"1"}},)"
                               R"({"service":"test","method":"Test.Two"})");
  }};
  CHECK(h.outcome(h.http.post(h.guest + "/snapshots", R"({"dest":"s"})").job()) == "Complete");
  CHECK(at(h.sent("Test.One"), "args") == R"({"a":"1"})");
  CHECK(text_at(h.sent("Test.Two"), "dest") == "s");
  CHECK(at(h.sent("Test.Two"), "args") == "(absent)");
}
