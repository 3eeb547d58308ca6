#include "http/protocol/compress.hpp"

#include <catch2/catch.hpp>
#include <zlib.h>

using namespace mistify::http;

namespace {

std::string gunzip(std::string_view packed) {
  z_stream z{};
  REQUIRE(inflateInit2(&z, 15 + 16) == Z_OK);
  std::string out(1 << 20, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  z.avail_in = static_cast<uInt>(packed.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  inflateEnd(&z);
  return out;
}

} // namespace

TEST_CASE("gzip is used where Accept-Encoding allows it") {
  for (auto yes :
       {"gzip", "GZIP", "deflate, gzip", "gzip;q=0.5", "*", "br;q=1.0, gzip; q=0.001", "*;q=0, gzip", "x-gzip"}) {
    INFO(yes);
    CHECK(accepts_gzip(yes));
  }
  for (auto no : {"", "br", "gzip;q=0", "gzip; Q=0.000", "identity", "*;q=0", "gzip;q=0, *", "gzipx", ",,;"}) {
    INFO(no);
    CHECK_FALSE(accepts_gzip(no));
  }
}

TEST_CASE("JSON and text are worth compressing") {
  CHECK(is_compressible("application/json"));
  CHECK(is_compressible("text/plain; charset=utf-8"));
  CHECK_FALSE(is_compressible("application/octet-stream"));
  CHECK_FALSE(is_compressible(""));
}

TEST_CASE("what is compressed comes out again, time after time") {
  compressor c;
  for (std::string text : {std::string{"x"}, std::string(100'000, 'a'), std::string{"{\"a\":1}\n"}}) {
    auto packed = c.gzip(text);
    REQUIRE(packed);
    CHECK(gunzip(*packed) == text);
  }
}
