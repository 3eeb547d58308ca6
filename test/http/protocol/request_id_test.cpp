#include "http/protocol/request_id.hpp"
#include "raw_client.hpp"
#include "running_server.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace mistify;
using namespace mistify::test;
using http::request_id_of;

TEST_CASE("an id that a client sent is kept where it can stand in a log line, else made anew") {
  for (const std::string sane : {"7", "c2a1-44", "!~{\"}"})
    CHECK(request_id_of(sane) == sane);
  CHECK(request_id_of(std::string(128, 'x')) == std::string(128, 'x'));
  for (const std::string& odd : {std::string{}, std::string(129, 'x'), std::string{"a b"}, std::string{"a\x7f"},
                                 std::string{"\xc3\xa4"}, std::string{"a\tb"}, std::string("a\0b", 3)}) {
    const auto made = request_id_of(odd);
    CHECK(made != odd);
    CHECK(request_id_of(made) == made);
  }
}

TEST_CASE("ids that are made differ") {
  std::set<std::string> made;
  for (int i = 0; i < 1000; ++i)
    made.insert(request_id_of(""));
  CHECK(made.size() == 1000);
}

TEST_CASE("every answer carries the id of its request, errors of the server included") {
  std::string seen;
  http::server_settings settings;
  settings.max_body = 10;
  running_server s{
    {{"/id",
      [&](http::request r) -> http::task<http::answer> {
        seen = r.id;
        co_return running_server::text("fine");
      }},
     {"/throws",
      [](http::request) -> http::task<http::answer> {
        throw std::runtime_error{"no"};
        co_return http::answer{};
      }},
     {"/download", downloads([](http::download_channel& to) {
        to.begin(1);
        to.write("x");
        return http::answer{};
      })},
     {"/no-download", downloads([](http::download_channel&) { return running_server::error(502, "no"); })}},
    settings};
  raw_client c{s.port};
  for (const auto* path : {"/id", "/throws", "/download", "/no-download"}) {
    INFO(path);
    auto answer = c.get(path, "X-Request-ID: mine-1\r\n");
    CHECK(answer.headers["x-request-id"] == "mine-1");
  }
  CHECK(seen == "mine-1");
  const auto first = c.get("/id").headers["x-request-id"], second = c.get("/id").headers["x-request-id"];
  CHECK(first.size() > 8);
  CHECK(first != second);
  CHECK(seen == second);
  const auto refused = [&](const std::string& bytes) {
    raw_client other{s.port};
    other.send(bytes);
    return other.answer();
  };
  auto too_large = refused("POST /id HTTP/1.1\r\nx-request-id: mine-2\r\nContent-Length: 11\r\n\r\n");
  CHECK(too_large.status == 413);
  CHECK(too_large.headers["x-request-id"] == "mine-2");
  auto bad_path = refused("GET /%zz HTTP/1.1\r\nX-Request-Id: mine-3\r\n\r\n");
  CHECK(bad_path.status == 400);
  CHECK(bad_path.headers["x-request-id"] == "mine-3");
  auto no_http = refused("nonsense\r\n\r\n");
  CHECK(no_http.status == 400);
  CHECK(no_http.headers["x-request-id"].size() > 8);
}
