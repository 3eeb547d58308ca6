#include "rpc/model/apply.hpp"

#include "rpc/base/error.hpp"

#include <catch2/catch.hpp>

using namespace mistify::rpc;

TEST_CASE("apply says when a change takes effect, and is either where it is absent or null") {
  const auto of = [](std::string_view wish) { return apply_in(json::document::parse(wish).root()); };
  CHECK(of(R"({"apply":"live"})") == apply_when::live);
  CHECK(of(R"({"apply":"next-start"})") == apply_when::next_start);
  for (const auto* wish : {R"({"apply":"either"})", R"({"apply":null})", "{}"})
    CHECK(of(wish) == apply_when::either);
  for (const auto* wish : {R"({"apply":""})", R"({"apply":"Live"})", R"({"apply":5})", R"({"apply":["live"]})"}) {
    INFO(wish);
    CHECK_THROWS_AS(of(wish), failure);
  }
}
