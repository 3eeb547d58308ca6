#include "http/protocol/body_depth.hpp"

#include <catch2/catch.hpp>

#include <string>

using mistify::http::too_deep_at;

TEST_CASE("objects and arrays inside each other are counted, beside each other they are not") {
  CHECK_FALSE(too_deep_at("", 1));
  CHECK_FALSE(too_deep_at(R"({"a":1})", 1));
  CHECK_FALSE(too_deep_at("[{},{},[],[]]", 2));
  CHECK(too_deep_at("[[[]]]", 2) == 2);
  CHECK(too_deep_at(R"({"a":[{"b":1}]})", 2) == 6);
  const std::string deep(64, '['), deeper(65, '[');
  CHECK_FALSE(too_deep_at(deep, 64));
  CHECK(too_deep_at(deeper, 64) == 64);
}

TEST_CASE("brackets in strings are text") {
  CHECK_FALSE(too_deep_at(R"(["[[[[{{{{"])", 1));
  CHECK_FALSE(too_deep_at(R"(["\"[[[["])", 1));
  CHECK_FALSE(too_deep_at(R"(["\\"])", 1));
  CHECK(too_deep_at(R"(["\\",[]])", 1) == 6);
}

TEST_CASE("what is no JSON is looked through without harm") {
  CHECK_FALSE(too_deep_at("]]]]}}}}", 1));
  CHECK_FALSE(too_deep_at("\"[[[[", 1));
  CHECK_FALSE(too_deep_at("\"\\", 1));
  CHECK_FALSE(too_deep_at("0x1234+0x5678", 1));
}
