#include "rpc/model/power.hpp"

#include "rpc/base/error.hpp"

#include <catch2/catch.hpp>

using namespace mistify::rpc;

namespace {

guest with(const std::string& power) {
  guest made;
  made.extra["power"] = power;
  return made;
}

} // namespace

TEST_CASE("members of power that are null have their defaults, also where they are told twice") {
  for (const auto* power :
       {"null", "{}", R"({"boot":null,"restart":null,"max":null,"within":null,"order":null,"delay":null})",
        R"({"max":3,"order":7,"max":null,"order":null})"}) {
    INFO(power);
    CHECK_NOTHROW(expect_power(with(power)));
    const auto rules = power_of(with(power));
    CHECK(rules.boot == boot_policy::last);
    CHECK(rules.restart == restart_policy::never);
    CHECK(rules.max == 5);
    CHECK(rules.within == std::chrono::seconds{600});
    CHECK(rules.order == 0);
    CHECK(rules.delay == std::chrono::seconds{0});
  }
  CHECK(power_of(with(R"({"boot":"on","max":3,"delay":null})")).max == 3);
}

TEST_CASE("power that is wrong or unknown is refused") {
  for (const auto* power : {"1", R"("on")", "[]", R"({"boot":""})", R"({"max":0})", R"({"x":null})", R"({"x":1})"}) {
    INFO(power);
    CHECK_THROWS_AS(expect_power(with(power)), failure);
  }
}

TEST_CASE("on_io_error is resume, stay or null") {
  guest made;
  for (const auto* good : {R"("resume")", R"("stay")", "null"}) {
    made.extra["on_io_error"] = good;
    CHECK_NOTHROW(expect_power(made));
  }
  made.extra["on_io_error"] = R"("")";
  CHECK_THROWS_AS(expect_power(made), failure);
}
