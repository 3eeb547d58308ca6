#include "rpc/agents/storage/zfs_rows.hpp"

#include <catch2/catch.hpp>

using mistify::agents::storage::rows_of;

namespace {

using rows = std::vector<std::pair<std::string, std::uint64_t>>;

} // namespace

TEST_CASE("what zfs lists is read row by row") {
  CHECK(rows_of("").empty());
  CHECK(rows_of("p/a\t1\np/b\t18446744073709551615\n") == rows{{"p/a", 1}, {"p/b", 18446744073709551615U}});
  CHECK(rows_of("p/a b\t1") == rows{{"p/a b", 1}});
}

TEST_CASE("a line that zfs writes without a number is no row, and hides none") {
  CHECK(rows_of("\n\nno datasets available\np/a\t7\n") == rows{{"p/a", 7}});
  CHECK(rows_of("p/a\t-\n") == rows{{"p/a", 0}}); // the size of what has none
}
