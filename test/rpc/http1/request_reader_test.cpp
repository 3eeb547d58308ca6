#include "rpc/http1/request_reader.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace mistify::rpc::http1;

namespace {

using progress = request_reader::progress;

/// What became of a stream of bytes: the requests in it, as "METHOD TARGET BODY", then the refusal's status.
std::vector<std::string> cut(std::string_view bytes, std::size_t step = 0, request_reader::limits limits = {}) {
  request_reader f{limits};
  std::vector<std::string> out;
  auto take = [&] {
    for (;;) {
      auto p = f.advance();
      if (p == progress::more)
        return true;
      if (p == progress::refused) {
        out.push_back(std::to_string(f.why().status));
        return false;
      }
      if (p == progress::complete) {
        out.push_back(std::string{f.head().method} + " " + std::string{f.head().target} + " " + f.take_body());
        f.next();
      }
    }
  };
  for (std::size_t i = 0, n = step ? step : bytes.size(); i < bytes.size(); i += n) {
    f.append(bytes.substr(i, n));
    if (!take())
      break;
  }
  return out;
}

/// The same whole and byte by byte.
std::vector<std::string> cut_both_ways(std::string_view bytes, request_reader::limits limits = {}) {
  auto whole = cut(bytes, 0, limits);
  CHECK(cut(bytes, 1, limits) == whole);
  CHECK(cut(bytes, 3, limits) == whole);
  return whole;
}

using list = std::vector<std::string>;

std::string with(const std::string& headers, const std::string& body = "") {
  return "POST /x HTTP/1.1\r\n" + headers + "\r\n" + body;
}

} // namespace

TEST_CASE("a request without a body ends with its head") {
  CHECK(cut_both_ways("GET /a HTTP/1.1\r\nHost: x\r\n\r\n") == list{"GET /a "});
  CHECK(cut_both_ways("\r\nGET /a HTTP/1.0\r\n\r\n") == list{"GET /a "});
}

TEST_CASE("several requests in one packet are cut apart") {
  CHECK(cut_both_ways("GET /a HTTP/1.1\r\n\r\n" + with("Content-Length: 3\r\n", "abc") + "GET /b HTTP/1.1\r\n\r\n") ==
        list{"GET /a ", "POST /x abc", "GET /b "});
}

TEST_CASE("a chunked body comes out of its chunks, without extensions and trailers") {
  CHECK(
    cut_both_ways(with("Transfer-Encoding: Chunked\r\n",
                       "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n00 ; z\r\nTrailer: t\r\n\r\nGET /b HTTP/1.1\r\n\r\n")) ==
    list{"POST /x abc0123456789", "GET /b "});
}

TEST_CASE("chunks that could be read in two ways are refused") {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  for (std::string body :
       {"3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "\r\n", "g\r\n", "-1\r\n", "0x3\r\nabc\r\n", "3 3\r\nabc\r\n",
        "ffffffffffffffffff\r\n", "3\r\nabc\n0\r\n\r\n", "0\r\nx\r\n\r\n", "0\r\nx: \n\r\n", "3;\rx\r\nabc\r\n"}) {
    INFO(body);
    CHECK(cut_both_ways(with(chunked, body)) == list{"400"});
  }
  CHECK(cut_both_ways(with(chunked, "1;" + std::string(2000, 'x') + "\r\n")) == list{"400"});
  CHECK(cut_both_ways(with(chunked, "0\r\nt: " + std::string(9000, 'x') + "\r\n\r\n")) == list{"431"});
  std::string trailers;
  for (int i = 0; i < 2000; ++i)
    trailers += "a: b\r\n";
  CHECK(cut_both_ways(with(chunked, "0\r\n" + trailers + "\r\n")) == list{"431"});
}

TEST_CASE("lengths that could be read in two ways are refused") {
  for (std::string headers : {"Content-Length: 3\r\nContent-Length: 4\r\n",
                              "Content-Length: 3\r\nContent-Length: 3\r\n",
                              "Content-Length: 3, 3\r\n",
                              "Content-Length: +3\r\n",
                              "Content-Length: -3\r\n",
                              "Content-Length: 0x3\r\n",
                              "Content-Length: 3 3\r\n",
                              "Content-Length:\r\n",
                              "Content-Length: 99999999999999999999\r\n",
                              "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                              "Transfer-Encoding: gzip\r\n",
                              "Transfer-Encoding: gzip, chunked\r\n",
                              "Transfer-Encoding: chunked, chunked\r\n",
                              "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding: xchunked\r\n",
                              "Transfer-Encoding:\r\n",
                              "Content-Length : 3\r\n",
                              "Transfer-Encoding : chunked\r\n",
                              "X: y\r\n folded: z\r\n",
                              "X\r\n",
                              ": x\r\n",
                              "X: a\rb\r\n",
                              "X: a\nContent-Length: 3\r\n",
                              "X@: y\r\n"}) {
    INFO(headers);
    CHECK(cut_both_ways(with(headers, "abc")) == list{"400"});
  }
  CHECK(cut("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == list{"400"});
  CHECK(cut(with(std::string("X: a") + '\0' + "b\r\n")) == list{"400"});
}

TEST_CASE("request lines that are none are refused") {
  for (std::string line :
       {"GET /", "GET", "", "GET / HTTP/2.0", "GET / HTTP/1.1 ", "GET  / HTTP/1.1", "GET /a b HTTP/1.1",
        "GET\t/ HTTP/1.1", " GET / HTTP/1.1", "G(T / HTTP/1.1", "GET / http/1.1", "GET /\x01 HTTP/1.1"}) {
    INFO(line);
    CHECK(cut_both_ways(line + (line.empty() ? "\n\n" : "\r\n\r\n")) == list{"400"});
  }
  CHECK(cut_both_ways("GET / HTTP/1.1\n\n") == list{"400"});
}

TEST_CASE("limits of head and body hold to the byte") {
  request_reader::limits limits{64, 10};
  auto head = [](std::size_t size) { return "GET / HTTP/1.1\r\nX: " + std::string(size - 23, 'y') + "\r\n\r\n"; };
  CHECK(head(64).size() == 64);
  CHECK(cut_both_ways(head(64), limits) == list{"GET / "});
  CHECK(cut_both_ways(head(65), limits) == list{"431"});
  CHECK(cut_both_ways(std::string(1000, 'A'), limits) == list{"431"});
  CHECK(cut_both_ways(std::string(1000, '\n'), limits) == list{"400"});
  CHECK(cut_both_ways(with("Content-Length: 10\r\n", "0123456789"), limits) == list{"POST /x 0123456789"});
  CHECK(cut_both_ways(with("Content-Length: 11\r\n", "01234567890"), limits) == list{"413"});
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  CHECK(cut_both_ways(with(chunked, "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), limits) == list{"POST /x 0123456789"});
  CHECK(cut_both_ways(with(chunked, "5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n"), limits) == list{"413"});
}

TEST_CASE("a request's own bound of its body holds where it is less than the general one") {
  const body_bound by_path = [](const auto& head) { return head.target == "/x" ? std::size_t{5} : SIZE_MAX; };
  const request_reader::limits limits{64, 10, &by_path};
  CHECK(cut_both_ways(with("Content-Length: 5\r\n", "01234"), limits) == list{"POST /x 01234"});
  CHECK(cut_both_ways(with("Content-Length: 6\r\n", "012345"), limits) == list{"413"});
  CHECK(cut_both_ways(with("Content-Length: 6\r\nExpect: 100-continue\r\n"), {200, 10, &by_path}) == list{"413"});
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  CHECK(cut_both_ways(with(chunked, "3\r\n012\r\n2\r\n34\r\n0\r\n\r\n"), limits) == list{"POST /x 01234"});
  CHECK(cut_both_ways(with(chunked, "3\r\n012\r\n3\r\n345\r\n0\r\n\r\n"), limits) == list{"413"});
  const std::string other = "POST /y HTTP/1.1\r\nContent-Length: ";
  CHECK(cut_both_ways(other + "10\r\n\r\n0123456789", limits) == list{"POST /y 0123456789"});
  CHECK(cut_both_ways(other + "11\r\n\r\n", limits) == list{"413"});
  CHECK(cut_both_ways(with("Content-Length: 6\r\n", "012345") + other + "6\r\n\r\n", limits) == list{"413"});
  CHECK(cut_both_ways(other + "6\r\n\r\n012345" + with("Content-Length: 5\r\n", "01234"), limits) ==
        list{"POST /y 012345", "POST /x 01234"});
}

TEST_CASE("the client that waits for 100 Continue is told once") {
  request_reader f{{}};
  f.append(with("Content-Length: 3\r\nExpect: 100-continue\r\n"));
  CHECK(f.advance() == progress::go_on);
  CHECK(f.advance() == progress::more);
  f.append("abc");
  CHECK(f.advance() == progress::complete);
  CHECK(f.take_body() == "abc");

  request_reader impatient{{}};
  impatient.append(with("Content-Length: 3\r\nExpect: 100-continue\r\n", "a"));
  CHECK(impatient.advance() == progress::more);

  CHECK(cut(with("Expect: 200-ok\r\n")) == list{"417"});
}

TEST_CASE("compressed request bodies are refused") {
  CHECK(cut(with("Content-Encoding: gzip\r\nContent-Length: 3\r\n", "abc")) == list{"415"});
  CHECK(cut(with("Content-Encoding: identity\r\nContent-Length: 3\r\n", "abc")) == list{"POST /x abc"});
}

TEST_CASE("nothing is read behind a refused request") {
  request_reader f{{}};
  f.append("bad\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  CHECK(f.advance() == progress::refused);
  f.append("GET / HTTP/1.1\r\n\r\n");
  CHECK(f.advance() == progress::refused);
}

TEST_CASE("the request_reader knows what it holds") {
  request_reader f{{}};
  CHECK(f.empty());
  f.append("POST");
  CHECK_FALSE(f.empty());
  f.append(" /x HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET");
  CHECK(f.advance() == progress::complete);
  f.next();
  CHECK_FALSE(f.empty());
  CHECK(f.buffered() == 3);
}
