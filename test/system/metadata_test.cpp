#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

TEST_CASE("metadata of the hypervisor and of a guest are read and patched alike") {
  house h;
  const auto of_guest = "/guests/" + h.create_guest() + "/metadata";
  for (const auto& path : {std::string{"/metadata"}, of_guest}) {
    INFO(path);
    CHECK(h.http.get(path).status == 200);
    CHECK(h.http.get(path).body == "{}\n");
    const auto patched = h.http.patch(path, R"({"b":"2","a":"1","c":"drei \u00e4 \"q\""})");
    CHECK(patched.status == 200);
    CHECK(patched.job().empty());
    CHECK(patched.body == "{\"a\":\"1\",\"b\":\"2\",\"c\":\"drei \u00e4 \\\"q\\\"\"}\n");
    CHECK(h.http.get(path).body == patched.body);
    const auto fewer = h.http.patch(path, R"({"a":null,"b":"","d":"4","gone":null})");
    CHECK(fewer.status == 200);
    CHECK(at(fewer.body, "a") == "(absent)");
    CHECK(at(fewer.body, "b") == "(absent)");
    CHECK(at(fewer.body, "gone") == "(absent)");
    CHECK(text_at(fewer.body, "d") == "4");
    CHECK(h.http.patch(path, "{}").body == fewer.body);
    CHECK(h.http.get(path).body == fewer.body);
  }
}

TEST_CASE("metadata that are no strings are refused and change nothing") {
  house h;
  const auto of_guest = "/guests/" + h.create_guest() + "/metadata";
  for (const auto& path : {std::string{"/metadata"}, of_guest}) {
    CHECK(h.http.patch(path, R"({"a":"1"})").status == 200);
    for (const auto* body : {R"({"b":"2","a":1})", R"({"b":"2","a":{}})", R"({"b":true})", "[]", "\"x\"", "{", "",
                             R"({"b":"2"} x)", "{\"b\":\"\xff\"}"}) {
      INFO(path << ' ' << body);
      const auto answer = h.http.patch(path, body);
      CHECK(answer.status == 400);
      CHECK_FALSE(error_message(answer).empty());
    }
    CHECK(h.http.get(path).body == "{\"a\":\"1\"}\n");
  }
}

TEST_CASE("a message about wrong metadata names the key") {
  const house h;
  CHECK(error_message(h.http.patch("/metadata", R"({"colour":5})")).find("colour") != std::string::npos);
}

TEST_CASE("metadata given at the guest's creation are there") {
  house h;
  const auto id = h.create_guest(R"("metadata":{"owner":"me"})");
  CHECK(h.http.get("/guests/" + id + "/metadata").body == "{\"owner\":\"me\"}\n");
}

TEST_CASE("metadata that change while a stage runs win over what the stage returns") {
  house h;
  gate door;
  const auto id = h.create_guest(R"("metadata":{"old":"1","kept":"k"})");
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return result(c, R"({"guest":{"id":")" + id + R"(","state":"up","metadata":{"old":"1","kept":"k"}}})");
  });
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  CHECK(h.http.patch("/guests/" + id + "/metadata", R"({"new":"2","old":null})").status == 200);
  door.open();
  CHECK(h.outcome(job) == "Complete");
  CHECK(text_at(h.http.get("/guests/" + id).body, "state") == "up");
  CHECK(h.http.get("/guests/" + id + "/metadata").body == "{\"kept\":\"k\",\"new\":\"2\"}\n");
}

TEST_CASE("a stage gets the metadata as they are when it starts") {
  house h{[](config_file& c) {
    c.stages("reboot", R"({"service":"test","method":"Test.One"},{"service":"test","method":"Test.Two"})");
  }};
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.One", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.sub.wait_for("Test.One", 1));
  CHECK(h.http.patch("/guests/" + id + "/metadata", R"({"new":"2"})").status == 200);
  door.open();
  CHECK(h.outcome(job) == "Complete");
  CHECK(at(h.sub.calls("Test.Two").at(0).params, "guest/metadata") == R"({"new":"2"})");
}
