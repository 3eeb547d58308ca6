#include "house.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <vector>

using namespace mistify::test;

TEST_CASE("a client that asks more often than it may gets 429, and when it may come again") {
  house h{[](config_file& c) { c.top["limits"] = R"({"requests_per_second":1})"; }};
  int refused = 0;
  for (int i = 0; i < 10; ++i) {
    const auto answer = h.http.get("/guests");
    if (answer.status == 200)
      continue;
    ++refused;
    CHECK(answer.status == 429);
    CHECK(answer.header("retry-after") == "1");
    CHECK_THAT(error_message(answer), Catch::Contains("1 requests a second"));
  }
  CHECK(refused > 0);
}

TEST_CASE("a body that is nested more deeply than the config allows is refused, one that is not passes") {
  house h{[](config_file& c) { c.top["limits"] = R"({"nesting":8})"; }};
  const auto nested = [](std::size_t levels) {
    return R"({"memory":1,"deep":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + '}';
  };
  CHECK(h.http.post("/guests", nested(8)).status == 202);
  const auto refused = h.http.post("/guests", nested(9));
  CHECK(refused.status == 400);
  CHECK_THAT(error_message(refused), Catch::Contains("8 levels"));
  CHECK(h.http.patch("/metadata", nested(20)).status == 400);
}

TEST_CASE("by default 64 levels pass and 65 do not") {
  house h;
  CHECK(h.http.post("/guests", R"({"d":)" + std::string(63, '[') + std::string(63, ']') + '}').status == 202);
  CHECK(h.http.post("/guests", R"({"d":)" + std::string(64, '[') + std::string(64, ']') + '}').status == 400);
}

TEST_CASE("one client has half of the connections, or as many as the config gives it") {
  // False as well while connections of an earlier try are not gone yet.
  const auto next_is_closed = [](const house& h, int open) {
    std::vector<std::unique_ptr<raw_client>> held;
    for (int i = 0; i < open; ++i) {
      held.push_back(std::make_unique<raw_client>(h.http.port()));
      if (held.back()->get("/guests").status != 200)
        return false;
    }
    return raw_client{h.http.port()}.closed();
  };
  const house half{[](config_file& c) { c.top["http"] = R"({"max_connections":8})"; }};
  CHECK(eventually([&] { return next_is_closed(half, 4); }));
  const house two{[](config_file& c) { c.top["limits"] = R"({"connections_of_one":2})"; }};
  CHECK(eventually([&] { return next_is_closed(two, 2); }));
}

TEST_CASE("one client has its share of the readers of events, and no more") {
  house h{[](config_file& c) { c.top["limits"] = R"({"event_readers_of_one":1})"; }};
  raw_client reader{h.http.port()};
  reader.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE_FALSE(reader.receive(1).empty());
  const auto second = h.http.get("/events");
  CHECK(second.status == 429);
  CHECK(second.header("retry-after") == "1");
  reader.close();
  CHECK(eventually([&] {
    raw_client next{h.http.port()};
    next.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return next.receive(12) == "HTTP/1.1 200";
  }));
}

TEST_CASE("a long list is the same plain, packed and after a change") {
  house h;
  for (int i = 0; i < 3; ++i)
    h.create_guest(R"("note":")" + std::string(20'000, 'x') + '"');
  const auto plain = h.http.get("/guests");
  CHECK(plain.body.size() > 60'000);
  CHECK(plain.body.ends_with("]\n"));
  const auto packed = h.http.get("/guests", {"Accept-Encoding: gzip"});
  CHECK(packed.header("content-encoding") == "gzip");
  CHECK(packed.header("vary") == "Accept-Encoding");
  CHECK(packed.body.size() < 5'000);
  CHECK(plain.header("vary") == "Accept-Encoding");
  const auto fourth = h.create_guest();
  CHECK_THAT(h.http.get("/guests").body, Catch::Contains(fourth));
}
