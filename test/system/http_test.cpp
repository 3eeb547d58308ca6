#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

TEST_CASE("an unknown route is not found") {
  const house h;
  for (const auto* path : {"/", "/nope", "/guest", "/guests/a/b/c/d/e", "/images/a/b", "/debug"}) {
    const auto answer = h.http.get(path);
    INFO(path);
    CHECK(answer.status == 404);
    CHECK_FALSE(error_message(answer).empty());
  }
}

TEST_CASE("a known path with another method says which it takes") {
  const house h;
  const std::vector<std::tuple<std::string, std::string, std::vector<std::string>>> rows{
    {"DELETE", "/guests", {"GET", "POST"}},
    {"PUT", "/metadata", {"GET", "PATCH"}},
    {"POST", "/jobs", {"GET"}},
    {"PATCH", "/images", {"GET", "POST"}},
    {"POST", "/images/x", {"GET", "DELETE"}},
    {"POST", "/container_images/x", {"GET", "DELETE"}},
    {"GET", "/guests/x/snapshots/a/rollback", {"POST"}},
    {"POST", "/guests/x/metrics/cpu", {"GET"}},
  };
  for (const auto& [method, path, allowed] : rows) {
    INFO(method << ' ' << path);
    const auto answer = h.http.send(method, path);
    CHECK(answer.status == 405);
    CHECK_FALSE(error_message(answer).empty());
    const auto allow = answer.header("allow");
    for (const auto& verb : allowed)
      CHECK(allow.find(verb) != std::string::npos);
    CHECK(allow.find(method) == std::string::npos);
  }
}

TEST_CASE("a method that nobody knows is another method like the rest") {
  const house h;
  for (const auto* method : {"BREW", "get"}) {
    CHECK(h.http.send(method, "/metadata").status == 405);
    CHECK(h.http.send(method, "/metadata").header("allow").find("PATCH") != std::string::npos);
    CHECK(h.http.send(method, "/nowhere").status == 404);
  }
}

TEST_CASE("a trailing slash makes no difference") {
  house h;
  const auto guest = "/guests/" + h.create_guest();
  for (const auto& path : {std::string{"/guests"}, std::string{"/jobs"}, std::string{"/metadata"}, guest,
                           guest + "/jobs", guest + "/metadata", std::string{"/images"}}) {
    INFO(path);
    CHECK(h.http.get(path + "/").status == 200);
    CHECK(h.http.get(path + "/").body == h.http.get(path).body);
  }
  CHECK(h.http.post("/guests/", "{}").status == 202);
  CHECK(h.http.post(guest + "/reboot/").status == 202);
}

TEST_CASE("answers are compressed where the client asks for it, and say on what they depend") {
  const house h;
  CHECK(h.http.patch("/metadata", R"({"a":")" + std::string(10'000, 'x') + R"("})").status == 200);
  const auto plain = h.http.get("/metadata");
  CHECK(plain.header("content-encoding").empty());
  CHECK(plain.header("vary").find("Accept-Encoding") != std::string::npos);
  const auto packed = h.http.get("/metadata", {"Accept-Encoding: gzip, deflate"});
  CHECK(packed.header("content-encoding") == "gzip");
  CHECK(packed.header("vary").find("Accept-Encoding") != std::string::npos);
  CHECK(packed.body.starts_with("\x1f\x8b"));
  CHECK(packed.body.size() < 1'000);
  const auto refused = h.http.get("/metadata", {"Accept-Encoding: gzip;q=0"});
  CHECK(refused.header("content-encoding").empty());
}

TEST_CASE("a connection is kept for the next request") {
  const house h;
  raw_client connection{h.http.port()};
  for (int i = 0; i < 20; ++i) {
    const auto answer = connection.get("/guests");
    CHECK(answer.status == 200);
    CHECK(answer.whole);
  }
}

TEST_CASE("idle connections keep nobody else from being served") {
  house h;
  std::vector<std::unique_ptr<raw_client>> idle;
  for (int i = 0; i < 200; ++i)
    idle.push_back(std::make_unique<raw_client>(h.http.port()));
  for (auto& connection : idle)
    connection->send("GET /guests HTTP/1.1\r\nHo"); // and no more of it
  CHECK(h.http.get("/guests").status == 200);
  CHECK(h.healthy());
}

TEST_CASE("the command line is shown, joined by NUL") {
  house h;
  const auto answer = h.http.get("/debug/pprof/cmdline");
  CHECK(answer.status == 200);
  CHECK(answer.body.find(std::string{"\0-l\0info", 8}) != std::string::npos);
  CHECK(answer.body.find("mistify-agent") != std::string::npos);
}

TEST_CASE("only answers that queued a job name one") {
  house h;
  const auto id = h.create_guest();
  for (const auto* path : {"/guests", "/jobs", "/metadata", "/images", "/nope"})
    CHECK(h.http.get(path).job().empty());
  CHECK(h.http.patch("/guests/" + id + "/metadata", "{}").job().empty());
  const auto jobs = elements(h.http.get("/jobs").body).size();
  const auto queued = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.http.get("/jobs/" + queued).status == 200);
  CHECK(elements(h.http.get("/jobs").body).size() == jobs + 1);
}
