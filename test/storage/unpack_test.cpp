#include "lab.hpp"
#include "rpc/agents/storage/command.hpp"
#include "rpc/fetch/sha256.hpp"
#include "rpc/fetch/sparse_file.hpp"
#include "rpc/fetch/unpack.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace mistify::fetching;
using mistify::agents::storage::run;
using namespace mistify::test;
using Catch::Contains;

namespace {

/// What comes out when the bytes go in piece by piece.
std::string unpacked(std::string_view packed, std::size_t piece = 4096) {
  std::string out;
  unpacker u{[&](std::string_view bytes) { out += bytes; }};
  for (; !packed.empty(); packed.remove_prefix(std::min(piece, packed.size())))
    u.add(packed.substr(0, piece));
  u.end();
  return out;
}

std::string packed_by(const std::vector<std::string>& command, const std::string& text) {
  const temp_dir dir;
  auto with_file = command;
  with_file.push_back(dir.write("text", text));
  return run(with_file);
}

std::string text_of(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i)
    text += std::to_string(i * 2654435761U) + (i % 3 ? " " : "\n");
  return text;
}

const std::vector<std::vector<std::string>> packers{{"gzip", "-c"}, {"xz", "-c"}, {"zstd", "-q", "-c"}};

} // namespace

TEST_CASE("gzip, xz and zstd are unpacked, however the pieces fall, and all else is passed on") {
  const auto text = text_of(1'000'000);
  for (const auto& packer : packers)
    for (const std::size_t piece : {1UL, 7UL, 65536UL, 10'000'000UL}) {
      INFO(packer[0] << ' ' << piece);
      CHECK(unpacked(packed_by(packer, piece == 1 ? text.substr(0, 5000) : text), piece) ==
            (piece == 1 ? text.substr(0, 5000) : text));
    }
  CHECK(unpacked(text) == text);
  CHECK(unpacked("abc", 1) == "abc");
  CHECK(unpacked("").empty());
}

TEST_CASE("what was packed in several parts comes out as one") {
  for (const auto& packer : packers)
    CHECK(unpacked(packed_by(packer, "one ") + packed_by(packer, "two")) == "one two");
  CHECK(unpacked(packed_by({"gzip", "-c"}, "one") + std::string(1024, '\0')) == "one");
}

TEST_CASE("a frame may end where a buffer does") {
  // The pieces that come out are of 256 KiB, so these fill the last one.
  for (const std::size_t size : {256UL * 1024, 512UL * 1024, mb, 3 * mb})
    for (const auto& packer : packers) {
      auto text = text_of(70'000);
      text.resize(size, '\0');
      INFO(packer[0] << ' ' << size);
      const auto packed = packed_by(packer, text);
      for (const std::size_t piece : {1000UL, packed.size()})
        CHECK(unpacked(packed, piece) == text);
      CHECK(unpacked(packed + packed, packed.size()) == text + text);
      CHECK_THROWS_WITH(unpacked(packed.substr(0, packed.size() - 1), packed.size()), Contains("cut off"));
    }
}

TEST_CASE("frames that are to be skipped are, before, between and behind the others") {
  using namespace std::string_literals;
  const auto one = packed_by({"zstd", "-q", "-c"}, "one ");
  const auto skipped = "\x5f\x2a\x4d\x18\4\0\0\0abcd"s, empty = "\x50\x2a\x4d\x18\0\0\0\0"s;
  for (const std::size_t piece : {1UL, 5UL, 4096UL})
    CHECK(unpacked(skipped + one + empty + one + skipped, piece) == "one one ");
  CHECK(unpacked(skipped + skipped).empty());
  CHECK_THROWS_WITH(unpacked(skipped + "rubbish"), Contains("broken") || Contains("cut off"));
  CHECK_THROWS_WITH(unpacked(skipped.substr(0, 10)), Contains("cut off"));
}

TEST_CASE("padding behind packed data is of zeros") {
  CHECK(unpacked(packed_by({"xz", "-c"}, "one") + std::string(8, '\0') + packed_by({"xz", "-c"}, "two")) == "onetwo");
  CHECK(unpacked(packed_by({"gzip", "-c"}, "one") + std::string(1024, '\0'), 1) == "one");
  CHECK_THROWS_WITH(unpacked(packed_by({"gzip", "-c"}, "one") + std::string(8, '\0') + "x"), Contains("broken"));
}

TEST_CASE("packed data that are cut off or broken are refused") {
  const auto text = text_of(200'000);
  for (const auto& packer : packers) {
    auto packed = packed_by(packer, text);
    INFO(packer[0]);
    CHECK_THROWS_WITH(unpacked(packed.substr(0, packed.size() / 2)), Contains("cut off"));
    CHECK_THROWS_WITH(unpacked(packed.substr(0, packed.size() - 1)), Contains("cut off"));
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
    packed[packed.size() / 2 + 1] = static_cast<char>(packed[packed.size() / 2 + 1] ^ 0x55);
    CHECK_THROWS_WITH(unpacked(packed), Contains("broken") || Contains("cut off"));
  }
  CHECK_THROWS_WITH(unpacked(packed_by({"gzip", "-c"}, "one") + "rubbish"), Contains("broken"));
}

TEST_CASE("a sink that has enough ends a bomb early") {
  const temp_dir dir;
  const auto zeros = dir.write("zeros", "");
  std::filesystem::resize_file(zeros, 64 * mb);
  const auto bomb = run({"gzip", "-c", "-9", zeros});
  REQUIRE(bomb.size() < 100'000);
  std::size_t seen = 0;
  unpacker u{[&](std::string_view bytes) {
    seen += bytes.size();
    if (seen > mb)
      throw std::runtime_error{"enough"};
  }};
  CHECK_THROWS_WITH(u.add(bomb), "enough");
  CHECK(seen < 2 * mb);
}

TEST_CASE("xz data that want a window beyond all measure are refused") {
  const auto packed = packed_by({"xz", "-c", "--lzma2=dict=1GiB"}, "small");
  CHECK_THROWS_WITH(unpacked(packed), "the xz data need too much memory to unpack");
}

TEST_CASE("zeros take no space in a sparse file, and are there") {
  const temp_dir dir;
  const auto path = dir.path() / "sparse";
  sparse_file file{path};
  file.add("lost");
  file.restart();
  file.add("begin");
  file.add(std::string(10 * mb, '\0'));
  file.add("end");
  file.finish();
  CHECK(file.size() == 10 * mb + 8);
  CHECK(file.space() < 200'000);
  std::ifstream in{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  CHECK(text == "begin" + std::string(10 * mb, '\0') + "end");
}

TEST_CASE("a sum is found in what people and tools write") {
  sha256 sum;
  sum.add("ab");
  sum.restart();
  sum.add("a");
  sum.add("bc");
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const std::string other(64, '0');
  CHECK(sum.hex() == abc);
  CHECK(find_sha256(abc, "x") == abc);
  CHECK(find_sha256(other + "  y.img\n" + abc + "  x.img\n", "x.img") == abc);
  CHECK(find_sha256(other + " *y.img\r\n" + abc + " *x.img\r\n", "x.img") == abc);
  CHECK(find_sha256("SHA256 (y.img) = " + other + "\nSHA256 (x.img) = " + abc, "x.img") == abc);
  CHECK(find_sha256("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", "x") == abc);
  CHECK(find_sha256("# of x.img\n", "x.img") == std::nullopt);
  CHECK(find_sha256(abc + "0", "x") == std::nullopt);
}

TEST_CASE("of several sums the one that is about the name counts, or none") {
  const std::string own(64, 'a'), other(64, '0');
  for (const std::string form : {"  x.img", " *x.img", "  ./x.img", " *./x.img", "  /srv/images/x.img", "\tx.img"}) {
    INFO(form);
    CHECK(find_sha256(other + "  ./y.img\n" + own + form + "\n" + other + "  old-x.img\n", "x.img") == own);
  }
  for (const std::string form :
       {"SHA256 (x.img) = ", "SHA256 (./x.img) = ", "SHA2-256(x.img)= ", "sha256 (a/x.img) = "}) {
    INFO(form);
    CHECK(find_sha256("SHA256 (y.img) = " + other + "\n" + form + std::string(64, 'A') + "\n", "x.img") == own);
  }
  CHECK(find_sha256(other + "  y.img\n" + own + "  z.img\n", "x.img") == std::nullopt);
  CHECK(find_sha256("BLAKE2s (x.img) = " + other + "\nSHA256 (x.img) = " + own, "x.img") == own);
  CHECK(find_sha256("SHA512/256 (x.img) = " + other, "x.img") == std::nullopt);
  CHECK(find_sha256(own + "  some name.img\n" + other + "  name.img", "some name.img") == own);
  CHECK(find_sha256("-----BEGIN PGP SIGNED MESSAGE-----\n\n" + own + "  built.img\n", "x.img") == own);
}
