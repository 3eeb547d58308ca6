#include "http/protocol/response_writer.hpp"

#include <catch2/catch.hpp>

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
