#include "rpc/http1/answer_head.hpp"

#include <catch2/catch.hpp>

#include <string>

using mistify::rpc::http1::parse_answer_head;

namespace {

auto head(const std::string& lines) {
  return parse_answer_head("HTTP/1.1 200 OK\r\n" + lines + "\r\n");
}

} // namespace

TEST_CASE("a status line is a version of HTTP/1 and three digits") {
  for (const auto* line : {"HTTP/1.1 404 Not Found", "HTTP/1.0 404 ", "HTTP/1.1 404"}) {
    const auto read = parse_answer_head(std::string{line} + "\r\n\r\n");
    CHECK(read.sound);
    CHECK(read.status == 404);
  }
  for (const auto* line : {"", "HTTP/1.1", "HTTP/1.1 40", "HTTP/1.1 4040", "HTTP/2.0 404", "HTTP/1.1  404", "ICY 404 x",
                           "HTTP/1.2 404 x", "HTTP/1.1 4O4 x"}) {
    const auto read = parse_answer_head(std::string{line} + "\r\n\r\n");
    CHECK_FALSE(read.sound);
    CHECK(read.status == 0);
  }
}

TEST_CASE("a head is sound if each of its lines is a name, a colon and a value") {
  CHECK(head("Server: x\r\nEmpty:\r\n").sound);
  CHECK_FALSE(head("no header\r\n").sound);
  CHECK_FALSE(head("Server : x\r\n").sound);
  CHECK_FALSE(head(" folded: x\r\n").sound);
  CHECK_FALSE(head(": x\r\n").sound);
}

TEST_CASE("an answer ends in one way only") {
  CHECK(head("").has_one_end());
  CHECK(head("Content-Length: 5\r\n").has_one_end());
  CHECK(head("content-length: 5\r\n").length == 5U);
  CHECK(head("Transfer-Encoding: Chunked\r\n").has_one_end());
  for (const auto* lines :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Content-Length: +5\r\n", "Content-Length: 5, 5\r\n",
        "Content-Length:\r\n", "Content-Length: 1234567890123456789\r\n"})
    CHECK_FALSE(head(lines).has_one_end());
}

TEST_CASE("a connection is kept where HTTP/1.1 says nothing else") {
  CHECK(head("").keeps_alive());
  CHECK(head("Connection: Keep-Alive\r\n").keeps_alive());
  CHECK_FALSE(head("Connection: close\r\n").keeps_alive());
  CHECK_FALSE(parse_answer_head("HTTP/1.0 200 OK\r\n\r\n").keeps_alive());
}
