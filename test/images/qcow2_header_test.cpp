#include "qcow2_maker.hpp"
#include "rpc/images/qcow2_header.hpp"

#include <catch2/catch.hpp>

using namespace mistify::images;
using namespace mistify::test;
using Catch::Contains;

TEST_CASE("a head names what is behind it, its format and where its data are") {
  const auto h = parse_qcow2(qcow2_maker{.backing = "./a.qcow2", .data_file = "b.raw", .features = 4}.bytes());
  REQUIRE(h);
  CHECK(h->backing == "./a.qcow2");
  CHECK(h->backing_format == "qcow2");
  CHECK(h->data_file == "b.raw");
  CHECK(h->external_data);
  CHECK(h->size == 1 << 20);
  const auto alone = parse_qcow2(qcow2_maker{.backing_format = ""}.bytes());
  REQUIRE(alone);
  CHECK(alone->backing.empty());
  CHECK(alone->backing_format.empty());
  CHECK_FALSE(alone->external_data);
}

TEST_CASE("what does not begin like a qcow2 file is none") {
  CHECK_FALSE(parse_qcow2(""));
  CHECK_FALSE(parse_qcow2("QFI"));
  CHECK_FALSE(parse_qcow2(std::string(4096, '\0')));
}

TEST_CASE("a head that makes no sense is refused, wherever it is cut off") {
  const auto whole = qcow2_maker{.backing = "./a.qcow2"}.bytes();
  CHECK(parse_qcow2(whole));
  for (std::size_t size = 4; size < whole.size(); ++size)
    CHECK_THROWS_WITH(parse_qcow2(whole.substr(0, size)), Contains("not a sound qcow2 file"));
  CHECK_THROWS_WITH(parse_qcow2(qcow2_maker{.version = 4}.bytes()), Contains("version 4"));
  CHECK_THROWS_WITH(parse_qcow2(qcow2_maker{.cluster_bits = 40}.bytes()), Contains("clusters"));
  CHECK_THROWS_WITH(parse_qcow2(qcow2_maker{.head_length = 12}.bytes()), Contains("of no length"));
  CHECK_THROWS_WITH(parse_qcow2(qcow2_maker{.size = ~std::uint64_t{0}}.bytes()), Contains("too large"));
  CHECK_THROWS_WITH(parse_qcow2(qcow2_maker{.l1_entries = 1U << 31}.bytes()), Contains("too large"));
  CHECK_THROWS_WITH(parse_qcow2(qcow2_maker{.backing = std::string(1024, 'a')}.bytes()), Contains("backing"));
}
