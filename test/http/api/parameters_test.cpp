#include "http/api/handlers/parameters.hpp"
#include "rpc/base/error.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::http;

namespace {

request with(const std::string& name, const std::string& value) {
  request made;
  made.query.push_back({name, value});
  return made;
}

} // namespace

TEST_CASE("a boolean parameter is true by its name alone, and refused by name where it is neither true nor false") {
  for (const auto* yes : {"true", "1"})
    CHECK(handlers::flag_of(with("force", yes), "force"));
  auto alone = with("force", "");
  alone.query.front().bare = true;
  CHECK(handlers::flag_of(alone, "force"));
  for (const auto* no : {"false", "0"})
    CHECK_FALSE(handlers::flag_of(with("force", no), "force", true));
  CHECK_FALSE(handlers::flag_of(request{}, "force"));
  CHECK(handlers::flag_of(request{}, "idle", true));
  for (const auto* neither : {"yes", "True", "maybe", " ", "2", ""})
    CHECK_THROWS_WITH(handlers::flag_of(with("force", neither), "force"), "force: must be true or false");
}

TEST_CASE("a parameter that needs a value is refused by name without one") {
  CHECK_THROWS_WITH(handlers::wait_of(with("wait", "")), Catch::StartsWith("wait: must be"));
  CHECK_THROWS_WITH(handlers::limit_of(with("limit", "")), Catch::StartsWith("limit: must be"));
  CHECK_THROWS_WITH(handlers::number_of(with("tail", ""), "tail"), Catch::StartsWith("tail: must be"));
  CHECK_THROWS_WITH(handlers::seconds_of(with("seconds", "")), Catch::StartsWith("seconds: must be"));
  CHECK_THROWS_WITH(handlers::last_event_of(with("last_event_id", "")), Catch::StartsWith("last_event_id: must be"));
}
