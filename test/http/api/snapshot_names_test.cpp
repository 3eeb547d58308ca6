#include "http/api/snapshot_names.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

using mistify::http::snapshot_names;
using seconds = snapshot_names::seconds;

namespace {

seconds at(int second) {
  return seconds{std::chrono::seconds{second}};
}

class names_fixture {
public:
  explicit names_fixture(seconds before = {}) : names{[before] { return before; }} {}

  std::string name(const std::string& guest, int second) {
    return names.next(guest, at(second), [this] { return std::to_string(++suffixes); });
  }

  snapshot_names names;
  int suffixes = 0;
};

} // namespace

TEST_CASE_METHOD(names_fixture, "a snapshot without a name is named after its second") {
  CHECK(name("a", 1000) == "snap-1000");
  CHECK(name("b", 1000) == "snap-1000");
  CHECK(name("a", 1001) == "snap-1001");
}

TEST_CASE_METHOD(names_fixture, "further ones of a guest within a second get a suffix") {
  name("a", 1000);
  const auto second = name("a", 1000), third = name("a", 1000);
  CHECK(second.starts_with("snap-1000-"));
  CHECK(third.starts_with("snap-1000-"));
  CHECK(second != third);
}

TEST_CASE_METHOD(names_fixture, "a clock that was set back gives no name again") {
  name("a", 1000);
  name("a", 1005);
  for (const int second : {1005, 1003, 1000, 999, 1004, 1005})
    CHECK(name("a", second).starts_with("snap-" + std::to_string(second) + '-'));
  CHECK(name("a", 1006) == "snap-1006");
}

TEST_CASE_METHOD(names_fixture, "a clock that was set back gives no name again to a guest that had none") {
  name("a", 1000);
  name("a", 1005);
  CHECK(name("b", 1000).starts_with("snap-1000-"));
}

TEST_CASE("what an earlier process gave in this very second gets a suffix") {
  names_fixture names{at(1000)};
  CHECK(names.name("a", 1000).starts_with("snap-1000-"));
  CHECK(names.name("a", 1001) == "snap-1001");
}

TEST_CASE("what an earlier process may have given before its clock was set back gets a suffix") {
  names_fixture names{at(2000)};
  CHECK(names.name("a", 1500).starts_with("snap-1500-"));
  CHECK(names.name("a", 2000).starts_with("snap-2000-"));
  CHECK(names.name("a", 2001) == "snap-2001");
}

TEST_CASE("clients that ask at the same moment get different names") {
  snapshot_names names{[] { return seconds{}; }};
  std::vector<std::vector<std::string>> given(4);
  std::atomic<int> last{0};
  {
    std::vector<std::jthread> clients;
    for (auto& mine : given)
      clients.emplace_back([&] {
        for (int i = 0; i < 100; ++i)
          mine.push_back(names.next("a", at(1000 + i), [&] { return std::to_string(++last); }));
      });
  }
  std::set<std::string> all;
  for (const auto& mine : given)
    all.insert(mine.begin(), mine.end());
  CHECK(all.size() == 400);
}
