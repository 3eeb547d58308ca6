#include "rpc/http1/whole_answer.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace mistify;
using rpc::read_whole;

namespace {

/// An answer with these lines in its head, each ended, behind which `body` follows.
std::string answer(const std::string& lines, const std::string& body, const std::string& first = "HTTP/1.1 200 OK") {
  return first + "\r\n" + lines + "\r\n" + body;
}

bool is_plain(const std::string& bytes) {
  const auto read = read_whole(bytes);
  REQUIRE(read);
  return read->plain;
}

} // namespace

TEST_CASE("an answer is whole once as many bytes came as it tells") {
  const auto bytes = answer("Content-Type: text/plain\r\nContent-Length: 5\r\n", "hello");
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK_FALSE(read_whole(bytes.substr(0, n)));
  const auto read = read_whole(bytes);
  REQUIRE(read);
  CHECK(read->plain);
  CHECK(read->keeps_alive);
  CHECK(read->body == "hello");
}

TEST_CASE("an answer that tells no length is never known to be whole") {
  CHECK_FALSE(read_whole(answer("", "hello")));
  CHECK_FALSE(read_whole(answer("Transfer-Encoding: chunked\r\n", "0\r\n\r\n")));
  CHECK_FALSE(read_whole(answer("Content-Length: 5\r\ntransfer-encoding: chunked\r\n", "hello")));
  CHECK_FALSE(read_whole(answer("Content-Length: five\r\n", "hello")));
  CHECK_FALSE(read_whole(answer("Content-Length: -1\r\n", "hello")));
  CHECK_FALSE(read_whole(answer("Content-Length: 5 5\r\n", "hello")));
  CHECK_FALSE(read_whole(answer("Content-Length:\r\n", "hello")));
  CHECK_FALSE(read_whole(answer("Content-Length: 99999999999999999999\r\n", "hello")));
  CHECK_FALSE(read_whole(answer("Content-Length: 0\r\n", "", "HTTP/1.1 100 Continue")));
  CHECK_FALSE(read_whole("no HTTP at all\r\n\r\n"));
}

TEST_CASE("an answer with anything unusual in it is not plain") {
  CHECK(is_plain(answer("content-length:  5 \r\n", "hello")));
  CHECK(is_plain(answer("Content-Length: 5\r\n", "hello", "HTTP/1.1 200")));
  CHECK(is_plain(answer("Content-Length: 0\r\n", "")));
  CHECK_FALSE(is_plain(answer("Content-Length: 5\r\n", "hello, and more")));
  CHECK_FALSE(is_plain(answer("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")));
  CHECK_FALSE(is_plain(answer("Content-Length: 5\r\nno header\r\n", "hello")));
  CHECK_FALSE(is_plain(answer("Content-Length: 5\r\nA b: c\r\n", "hello")));
  CHECK_FALSE(is_plain(answer("Content-Length: 5\r\n: c\r\n", "hello")));
  CHECK_FALSE(is_plain(answer("Content-Length: 5\r\n folded: c\r\n", "hello")));
  for (const auto* first :
       {"HTTP/1.1 500 Oh", "HTTP/1.1 204 No Content", "HTTP/1.1 2000", "HTTP/1.0 200 OK", "HTTP/2 200", ""})
    CHECK_FALSE(is_plain(answer("Content-Length: 5\r\n", "hello", first)));
}

TEST_CASE("a connection is kept unless the answer says anything else") {
  const auto kept = [](const std::string& line) {
    return read_whole(answer(line + "Content-Length: 0\r\n", ""))->keeps_alive;
  };
  CHECK(kept(""));
  CHECK(kept("Connection: Keep-Alive\r\n"));
  CHECK_FALSE(kept("Connection: close\r\n"));
  CHECK_FALSE(kept("connection: CLOSE\r\n"));
  CHECK_FALSE(kept("Connection: keep-alive, close\r\n"));
}
