#include "http/api/audit_trail.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace mistify;
using http::audit_trail;

namespace {

struct written {
  std::vector<store::audit_ptr> entries;
  std::vector<std::function<void(bool)>> ends;

  audit_trail trail{[this](store::audit_ptr entry, std::function<void(bool)> on_done) {
    entries.push_back(std::move(entry));
    ends.push_back(std::move(on_done));
  }};

  void note(const std::string& decision) {
    store::audit_entry what;
    what.decision = decision;
    trail.note(std::move(what));
  }
};

} // namespace

TEST_CASE("a flood of refusals is counted instead of stored, and others are stored") {
  written w;
  constexpr std::size_t flood = 100;
  for (std::size_t i = 0; i < flood; ++i)
    w.note("refused");
  CHECK(w.entries.size() >= audit_trail::refusals_per_second);
  CHECK(w.entries.size() <= audit_trail::refusals_per_second + 5); // a second may begin meanwhile
  const auto stored = w.entries.size();
  w.note("accepted");
  REQUIRE(w.entries.size() == stored + 1);
  CHECK(w.entries.back()->missed == static_cast<std::int64_t>(flood - stored));
}

TEST_CASE("no more entries wait for the database than the bound, and those that fail are counted") {
  written w;
  for (std::size_t i = 0; i < audit_trail::most_waiting + 3; ++i)
    w.note("accepted");
  CHECK(w.entries.size() == audit_trail::most_waiting);
  w.ends[0](true);
  w.note("accepted");
  CHECK(w.entries.back()->missed == 3);
  w.ends.back()(false);
  w.note("accepted");
  CHECK(w.entries.back()->missed == 4);
}
