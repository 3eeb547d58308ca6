#include "http/api/routes.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <sstream>

using namespace mistify::http;

namespace {

/// "/guests/{id}" as a client would send it: each name in braces becomes a text of its own.
std::vector<std::string> segments_for(std::string_view pattern) {
  std::vector<std::string> segments;
  std::istringstream parts{std::string{pattern.substr(1)}};
  for (std::string part; std::getline(parts, part, '/');)
    segments.push_back(part.front() == '{' ? "some-" + part.substr(1, part.size() - 2) : part);
  return segments;
}

} // namespace

TEST_CASE("every row of the table is found by its method and path, with what it captures") {
  const router find{routes()};
  for (const auto& row : routes()) {
    INFO(row.method << ' ' << row.pattern);
    const auto segments = segments_for(row.pattern);
    const auto found = find.find(row.method, segments);
    REQUIRE(found.row == &row);
    CHECK(found.captures.size() == static_cast<std::size_t>(std::count(row.pattern.begin(), row.pattern.end(), '{')));
    for (const auto& [name, value] : found.captures) {
      CHECK(row.pattern.find('{' + std::string{name} + '}') != row.pattern.npos);
      CHECK(value == "some-" + std::string{name});
    }
    CHECK(row.handle != nullptr);
  }
}

TEST_CASE("every path answers another method with what it allows") {
  const router find{routes()};
  for (const auto& row : routes()) {
    INFO(row.pattern);
    const auto found = find.find("TRACE", segments_for(row.pattern));
    CHECK(found.row == nullptr);
    CHECK(found.allowed.find(row.method) != std::string::npos);
  }
}

TEST_CASE("no two rows have the same method and path") {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& row : routes())
    CHECK(seen.emplace(row.method, row.pattern).second);
}

TEST_CASE("what only looks is not marked as changing, and the other way round") {
  for (const auto& row : routes()) {
    INFO(row.method << ' ' << row.pattern);
    if (row.asks.is(mistify::actors::scope::debug)) // debug routes look, whatever the tools send
      continue;
    CHECK(changes(row) == (row.method != "GET" || row.pattern == "/guests/{guest}/{action}"));
  }
}

TEST_CASE("rows are judged by names that their patterns have") {
  for (const auto& row : routes()) {
    INFO(row.method << ' ' << row.pattern);
    const auto found = router{routes()}.find(row.method, segments_for(row.pattern));
    CHECK((found.captures.find("guest") != nullptr) == row.pattern.starts_with("/guests/{guest}"));
    if (row.asks.what() == requirement::kind::action)
      CHECK(found.captures.find("action"));
    if (row.asks.what() == requirement::kind::job)
      CHECK(found.captures.find("job"));
  }
}

TEST_CASE("routes that take a few words have a small bound of their body") {
  constexpr std::size_t small = 64 * 1024;
  CHECK(largest_body("PUT", "/guests/x/state") == small);
  CHECK(largest_body("PUT", "/guests/x%2Fy/st%61te/?a=b") == small);
  CHECK(largest_body("PUT", "http://host/jobs/x/progress") == small);
  CHECK(largest_body("PUT", "/host/maintenance") == small);
  for (const auto* target : {"/guests", "/guests/x/reboot", "/tokens", "/images", "/nope", "/%", ""}) {
    INFO(target);
    CHECK(largest_body("POST", target) == SIZE_MAX);
  }
}

TEST_CASE("a path that is not in the table is not found") {
  const router find{routes()};
  using path = std::vector<std::string>;
  for (const auto& segments : {path{}, path{"nope"}, path{"guests", "x", "y", "z"}, path{"guests", ""},
                               path{"", "guests"}, path{"guests", "x", "metrics", "ram"}}) {
    const auto found = find.find("GET", segments);
    CHECK(found.row == nullptr);
    CHECK(found.allowed.empty());
  }
}

TEST_CASE("a fixed segment wins over one that captures") {
  const router find{routes()};
  CHECK(find.find("GET", {"guests", "x", "jobs"}).row->pattern == "/guests/{guest}/jobs");
  CHECK(find.find("GET", {"guests", "x", "reboot"}).row->pattern == "/guests/{guest}/{action}");
  CHECK(find.find("GET", {"guests", "jobs"}).row->pattern == "/guests/{guest}");
}
