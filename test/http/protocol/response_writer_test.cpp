#include "http/protocol/response_writer.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace mistify::http;

namespace {

answer untyped() {
  answer a;
  a.content_type = {};
  return a;
}

answer with(std::string name, std::string value) {
  auto a = untyped();
  a.headers.emplace_back(std::move(name), std::move(value));
  return a;
}

head_options of_length(std::int64_t n) {
  head_options o;
  o.content_length = n;
  return o;
}

} // namespace

TEST_CASE("a head has status, type, headers and length") {
  answer a;
  a.headers.emplace_back("X-Guest-Job-ID", "7");
  CHECK(write_head(a, of_length(2)) ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nX-Guest-Job-ID: 7\r\n"
        "Cache-Control: no-store\r\nContent-Length: 2\r\n\r\n");
}

TEST_CASE("an empty answer has its type all the same") {
  CHECK(write_head({}, of_length(0)) ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
        "Cache-Control: no-store\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("headers cannot break out of their line") {
  auto head = write_head(with("X", "a\r\nSet-Cookie: b\nc\rd\x01"), of_length(0));
  CHECK(head ==
        "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nX: a  Set-Cookie: b c d \r\nContent-Length: 0\r\n\r\n");
  CHECK(write_head(with("X\r\nY", "z"), of_length(0)) ==
        "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 0\r\n\r\n");
  CHECK(write_head(with("", "z"), of_length(0)) ==
        "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("handlers do not frame answers") {
  for (auto name : {"Content-Length", "transfer-encoding", "Connection"})
    CHECK(write_head(with(name, "9"), of_length(0)) ==
          "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("persistence is told where it is not the default") {
  head_options o;
  o.keep_alive = false;
  CHECK(write_head(untyped(), o) ==
        "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  o = {};
  o.http_1_0 = true;
  CHECK(write_head(untyped(), o) ==
        "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST_CASE("answers without a body have no length") {
  answer a;
  a.status = 204;
  CHECK(write_head(a, of_length(0)) == "HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\n\r\n");
}

TEST_CASE("an answer says when it was given, if that is known") {
  auto options = of_length(0);
  options.date = "Mon, 23 Nov 2026 21:00:00 GMT";
  CHECK(write_head(untyped(), options) ==
        "HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 21:00:00 GMT\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Length: 0\r\n\r\n");
  const auto now = date_now();
  REQUIRE(now.size() == 29);
  CHECK(now.substr(3, 2) == ", ");
  CHECK(now.substr(25) == " GMT");
}

TEST_CASE("every answer forbids guessing its type, and JSON is not kept unless it says so itself") {
  const auto head_of = [](std::string type, std::string keep) {
    auto a = keep.empty() ? untyped() : with("cache-control", std::move(keep));
    a.content_type = type;
    return write_head(a, of_length(0));
  };
  for (const auto* type : {"application/json", "text/plain", "application/octet-stream", "text/event-stream", ""})
    CHECK(head_of(type, "").find("X-Content-Type-Options: nosniff\r\n") != std::string::npos);
  CHECK(head_of("application/json", "").find("Cache-Control: no-store\r\n") != std::string::npos);
  CHECK(head_of("application/json", "max-age=1").find("no-store") == std::string::npos);
  CHECK(head_of("text/plain", "").find("no-store") == std::string::npos);
}

TEST_CASE("a head says that the answer varies where its own headers do not") {
  answer a;
  a.headers.emplace_back("ETag", "\"1\"");
  auto options = of_length(2);
  options.varies = true;
  CHECK(write_head(a, options) ==
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nETag: \"1\"\r\n"
        "Vary: Accept-Encoding\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\n");
}

TEST_CASE("a head of any size is written whole") {
  answer a;
  a.status = 503;
  std::string expected = "HTTP/1.1 503 Service Unavailable\r\nDate: " + std::string(29, 'd') +
                         "\r\nX-Request-ID: " + std::string(128, 'i') +
                         "\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n";
  for (int i = 0; i < 100; ++i) {
    a.headers.emplace_back("X-" + std::to_string(i), std::string(static_cast<std::size_t>(100 * i), 'v'));
    expected += a.headers.back().first + ": " + a.headers.back().second + "\r\n";
  }
  expected += "Vary: Accept-Encoding\r\nCache-Control: no-store\r\nContent-Length: 9223372036854775807\r\n"
              "Connection: close\r\n\r\n";
  const std::string date(29, 'd'), id(128, 'i');
  head_options options;
  options.content_length = std::numeric_limits<std::int64_t>::max();
  options.keep_alive = false;
  options.varies = true;
  options.date = date;
  options.request_id = id;
  CHECK(write_head(a, options) == expected);
  std::string out = "before ";
  append_head(out, a, options);
  CHECK(out == "before " + expected);
}
