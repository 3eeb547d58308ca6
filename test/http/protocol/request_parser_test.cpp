#include "http/protocol/request_parser.hpp"

#include <catch2/catch.hpp>

using namespace mistify::http;

namespace {

std::optional<refusal> parse(const std::string& head, request& to) {
  request_reader f{{}};
  f.append(head);
  REQUIRE(f.advance() == request_reader::progress::complete);
  return request_parser::parse(f.head(), to);
}

request parsed(const std::string& head) {
  request r;
  REQUIRE_FALSE(parse(head, r));
  return r;
}

int refused(const std::string& target, const std::string& method = "GET") {
  request r;
  const auto no = parse(method + " " + target + " HTTP/1.1\r\n\r\n", r);
  return no ? no->status : 0;
}

using list = std::vector<std::string>;

list segments(const std::string& target) {
  return parsed("GET " + target + " HTTP/1.1\r\n\r\n").segments;
}

} // namespace

TEST_CASE("method, path, query and headers are read") {
  auto r = parsed("PATCH /guests/a%20b?x=1&y=a%26b&x=2 HTTP/1.1\r\nHost: h\r\nX-A:  1%2F2 \r\nx-a: 3\r\n\r\n");
  CHECK(r.method == "PATCH");
  CHECK(r.path == "/guests/a%20b");
  CHECK(r.segments == list{"guests", "a b"});
  REQUIRE(r.parameter("x"));
  CHECK(*r.parameter("x") == "1");
  CHECK(*r.parameter("y") == "a&b");
  CHECK(r.parameter("z") == nullptr);
  CHECK(r.header("x-a") == "1%2F2, 3"); // not percent-decoded, as a client may send them so
  CHECK(r.headers.is_repeated("x-a"));
  CHECK_FALSE(r.headers.is_repeated("host"));
  CHECK(r.header("host") == "h");
  CHECK(r.header("remote_addr").empty());
}

TEST_CASE("the path is split before it is decoded") {
  CHECK(segments("/") == list{});
  CHECK(segments("/a/b/") == list{"a", "b"});
  CHECK(segments("/a//b") == list{"a", "", "b"});
  CHECK(segments("/a%2Fb/c%3Fd?e/f") == list{"a/b", "c?d"});
  CHECK(segments("http://host:1/a/b?c") == list{"a", "b"});
  CHECK(segments("http://host") == list{});
  CHECK(segments("/+/%2e%2E") == list{"+", ".."});
}

TEST_CASE("paths that cannot be decoded are refused") {
  for (std::string target : {"/%", "/a%2", "/%zz", "/%0x", "/a%00b", "a", "?", "*"}) {
    INFO(target);
    CHECK(refused(target) == 400);
  }
  CHECK(refused("*", "OPTIONS") == 0);
  CHECK(refused("host:1", "CONNECT") == 400);
}

TEST_CASE("a method that nobody knows is for the routes to refuse") {
  CHECK(parsed("BREW /metadata HTTP/1.1\r\n\r\n").method == "BREW");
  CHECK(parsed("get /metadata HTTP/1.1\r\n\r\n").method == "get");
}

TEST_CASE("a range that cannot be understood is not looked at") { // RFC 9110, section 14.2
  for (std::string range : {"lines=1-2", "bytes=9-1", "x"})
    CHECK(parsed("GET /metadata HTTP/1.1\r\nRange: " + range + "\r\n\r\n").method == "GET");
}

TEST_CASE("a target over 8192 bytes is refused with 414, and one byte less is not") {
  CHECK(refused("/" + std::string(8192, 'a')) == 414);
  CHECK(refused("/?" + std::string(9000, 'a')) == 414);
  CHECK(refused("/" + std::string(8191, 'a')) == 0);
}

TEST_CASE("a query is decoded part by part, and what is no escape stands for itself") {
  const auto r = parsed("GET /a?a%3Db=c+d%2B&x=%zz%4&y&=lost&&z=1=2&p=?q#f=1 HTTP/1.1\r\n\r\n");
  REQUIRE(r.query.size() == 5);
  CHECK(*r.parameter("a=b") == "c d+");
  CHECK(*r.parameter("x") == "%zz%4");
  CHECK(r.parameter("y")->empty());
  CHECK(*r.parameter("z") == "1=2");
  CHECK(*r.parameter("p") == "?q");
}

TEST_CASE("HEAD is handed over as GET") {
  auto r = parsed("HEAD /a HTTP/1.1\r\n\r\n");
  CHECK(r.method == "GET");
  CHECK(r.head_only);
}

TEST_CASE("the authority of an absolute target is kept beside the path") {
  CHECK(parsed("GET http://agent.example:8080/a HTTP/1.1\r\nHost: b\r\n\r\n").authority == "agent.example:8080");
  CHECK(parsed("GET /a HTTP/1.1\r\nHost: b\r\n\r\n").authority.empty());
}

TEST_CASE("a parameter without a value is told from one with an empty value") {
  const auto r = parsed("DELETE /guests/a?force&preempt=&a%20b HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(r.query.size() == 3);
  CHECK(r.find_parameter("force")->bare);
  CHECK(r.find_parameter("a b")->bare);
  CHECK_FALSE(r.find_parameter("preempt")->bare);
  CHECK(r.parameter("force")->empty());
  CHECK(r.parameter("preempt")->empty());
}

TEST_CASE("nothing of an earlier request is left in the next one") {
  request r;
  REQUIRE_FALSE(parse("HEAD http://h/a/b%2Fc/d?x=1&y HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\n\r\n", r));
  r.body = "body";
  for (const bool released : {false, true}) {
    if (released)
      r.release();
    REQUIRE_FALSE(parse("POST /e HTTP/1.1\r\nX-B: 3\r\n\r\n", r));
    CHECK(r.method == "POST");
    CHECK_FALSE(r.head_only);
    CHECK(r.path == "/e");
    CHECK(r.authority.empty());
    CHECK(r.segments == list{"e"});
    CHECK(r.query.empty());
    CHECK(r.headers.size() == 1);
    CHECK(r.header("x-b") == "3");
    CHECK_FALSE(r.headers.contains("x-a"));
  }
  CHECK(r.body.empty());
}

TEST_CASE("a released request keeps no more memory than a usual one has") {
  request r;
  REQUIRE_FALSE(
    parse("GET /a?" + std::string(8000, 'q') + " HTTP/1.1\r\nX-A: " + std::string(30'000, 'h') + "\r\n\r\n", r));
  r.body.assign(1'000'000, 'b');
  r.release();
  CHECK(r.path.capacity() + r.body.capacity() + r.headers.memory() < 2048);
  CHECK(r.query.capacity() == 0);
}
