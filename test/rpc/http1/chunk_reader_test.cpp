#include "rpc/http1/chunk_reader.hpp"

#include <catch2/catch.hpp>

#include <string>

using mistify::rpc::http1::chunk_reader;
using fault = chunk_reader::fault;

namespace {

/// What a reader made of some bytes that came in pieces of one size.
struct reading {
  std::string body;
  std::string unused; ///< bytes that were not taken
  bool done = false;
  fault why = fault::none;
};

reading read(std::string_view bytes, std::size_t piece = SIZE_MAX) {
  reading result;
  chunk_reader reader;
  std::string held;
  while (!bytes.empty() && !reader.done() && reader.why() == fault::none) {
    held = bytes.substr(0, piece);
    bytes.remove_prefix(held.size());
    for (std::string_view rest = held; !rest.empty();) {
      const auto [used, content] = reader.take(rest);
      result.body += content;
      rest.remove_prefix(used);
      if (used == 0) {
        result.unused += rest;
        break;
      }
    }
  }
  result.unused += bytes;
  result.done = reader.done();
  result.why = reader.why();
  return result;
}

} // namespace

TEST_CASE("a chunked body is its chunks one behind the other, in whatever pieces it comes") {
  const std::string bytes = "5;name=\"x\"\r\nhello\r\n1\r\n,\r\nA\r\n ten bytes\r\n0\r\nTrailer: yes\r\n\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto whole = read(bytes, piece);
    CHECK(whole.done);
    CHECK(whole.body == "hello, ten bytes");
    CHECK(whole.unused.empty());
  }
}

TEST_CASE("bytes behind the last chunk are not used") {
  const auto whole = read("0\r\n\r\nHTTP/1.1 200 OK\r\n");
  CHECK(whole.done);
  CHECK(whole.unused == "HTTP/1.1 200 OK\r\n");
}

TEST_CASE("a chunked body that is cut off anywhere is not done") {
  const std::string bytes = "2\r\nab\r\n0\r\n\r\n";
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto part = read(bytes.substr(0, n));
    CHECK_FALSE(part.done);
    CHECK(part.why == fault::none);
  }
}

TEST_CASE("a chunked body that two readers could cut differently is refused") {
  CHECK(read("2\nab\r\n").why == fault::line_end);
  CHECK(read("\r\n").why == fault::size);
  CHECK(read("+2\r\nab").why == fault::size);
  CHECK(read("0x2\r\nab").why == fault::size);
  CHECK(read(" 2\r\nab").why == fault::size);
  CHECK(read("2 2\r\nab").why == fault::size);
  CHECK(read("2;\x01\r\nab").why == fault::size);
  CHECK(read("1234567890123456\r\n").why == fault::long_size);
  CHECK(read("2\r\nabc").why == fault::long_chunk);
  CHECK(read("2\r\nab\n").why == fault::long_chunk);
  CHECK(read("2\r\nab\r\r").why == fault::long_chunk);
  CHECK(read("0\r\nno trailer\r\n").why == fault::trailer);
}

TEST_CASE("the lines of a chunked body are bounded, with an end or without") {
  CHECK(read("1;" + std::string(1021, 'x') + "\r\n").why == fault::long_line);
  CHECK(read("1;" + std::string(1020, 'x') + "\r\n").why == fault::none);
  CHECK(read("1;" + std::string(5000, 'x'), 100).why == fault::long_line);
  CHECK(read("0\r\n" + std::string(9000, 'a'), 100).why == fault::long_trailers);
  std::string many = "0\r\n";
  for (int i = 0; i < 2000; ++i)
    many += "a: b\r\n";
  CHECK(read(many + "\r\n").why == fault::long_trailers);
}
