#include "rpc/agents/storage/command.hpp"
#include "rpc/agents/storage/source_image.hpp"
#include "test/images/qcow2_maker.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace mistify::agents::storage;
using namespace mistify::test;
using Catch::Contains;

namespace {

constexpr std::size_t cluster = 65536, first_table = 3 * cluster;

/// A file of 8 clusters whose first table, in the fourth, names these tables.
struct image_lab {
  temp_dir dir;

  std::string file_with(const std::vector<std::uint64_t>& tables) {
    std::string bytes = qcow2_maker{.l1_entries = static_cast<std::uint32_t>(tables.size())}.bytes();
    bytes.resize(8 * cluster, '\0');
    for (std::size_t i = 0; i < tables.size(); ++i)
      bytes.replace(first_table + i * sizeof(std::uint64_t), sizeof(std::uint64_t), qcow2_maker::number(tables[i]));
    return dir.write("image.qcow2", bytes);
  }
};

} // namespace

TEST_CASE_METHOD(image_lab, "tables that begin at clusters are looked at, each of them once") {
  CHECK_NOTHROW(expect_whole(file_with({0})));
  CHECK_NOTHROW(expect_whole(file_with({4 * cluster, 0, 7 * cluster})));
  CHECK_NOTHROW(expect_whole(file_with(std::vector<std::uint64_t>(8000, 4 * cluster))));
}

TEST_CASE_METHOD(image_lab, "tables that overlap, which would take for ever to read, are refused") {
  for (const auto offset : {4 * cluster + 512, 4 * cluster - 512, std::size_t{512}})
    CHECK_THROWS_WITH(expect_whole(file_with({4 * cluster, offset})), Contains("a table does not begin at a cluster"));
}

TEST_CASE_METHOD(image_lab, "tables and data behind the end of the file are refused") {
  CHECK_THROWS_WITH(expect_whole(file_with({8 * cluster})), Contains("a table lies beyond its end"));
  CHECK_THROWS_WITH(expect_whole(file_with({std::uint64_t{1} << 54})), Contains("a table lies beyond its end"));
  CHECK_THROWS_WITH(expect_whole(file_with({})), Contains("too short for its size"));
}

TEST_CASE("what qemu-img says of a damaged image does not tell the folder that it lies in") {
  const temp_dir dir;
  const auto file = dir.path() / "fetch-0";
  mistify::agents::storage::run({"qemu-img", "create", "-q", "-f", "qcow2", file, "4M"});
  constexpr std::streamoff table_of_counts = 48; // in the head: where it is
  std::fstream{file, std::ios::in | std::ios::out | std::ios::binary}.seekp(table_of_counts) << "\xff\xff";
  CHECK_THROWS_WITH(expect_sound_source(file, "qcow2", {}),
                    Contains("damaged") && Contains("'fetch-0'") && !Contains(dir.path().string()));
}
