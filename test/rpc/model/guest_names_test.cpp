#include "rpc/model/guest_names.hpp"

#include "rpc/base/error.hpp"
#include "rpc/model/codec.hpp"

#include <catch2/catch.hpp>

using namespace mistify::rpc;

namespace {

std::string refusal(const std::string& members) {
  try {
    expect_valid_names(decode_guest('{' + members + '}'));
    return {};
  } catch (const failure& e) {
    CHECK(e.code() == errc::invalid_request);
    return e.message();
  }
}

std::string name(const std::string& text) {
  return refusal(R"("name":")" + text + '"');
}

std::string letters(std::size_t count) {
  return std::string(count, 'x');
}

} // namespace

TEST_CASE("names that people would give are taken") {
  for (const auto& good : {"web", "web 1", "Büro-Server", "a", "näme.with,odd=signs"})
    CHECK(name(good).empty());
  CHECK(name(letters(64)).empty());
  std::string umlauts;
  for (int i = 0; i < 64; ++i)
    umlauts += "ä";
  CHECK(name(umlauts).empty());
}

TEST_CASE("names that could be taken for something else are refused") {
  for (const auto& bad : {"", "a/b", "-x", "a\\nb", "a\\u0000", "a\\u007f", "6a0a1b9c-5d7e-4c2f-8a55-0d9e3c1b2f40",
                          "6A0A1B9C-5D7E-4C2F-8A55-0D9E3C1B2F40"}) {
    INFO(bad);
    CHECK_FALSE(name(bad).empty());
  }
  CHECK(name(letters(65)) == "name: must have 1 to 64 characters");
  for (const auto* wrong : {"5", "null", "[]", "{}", "true"})
    CHECK(refusal(std::string{"\"name\":"} + wrong) == "name: must be a string");
}

TEST_CASE("labels that are null are dropped, and nothing else") {
  const auto left_of = [](const std::string& labels) {
    auto guest = decode_guest(R"({"id":"g","labels":)" + labels + "}");
    drop_null_labels(guest);
    return guest.extra.contains("labels") ? guest.extra.at("labels") : "none";
  };
  CHECK(left_of(R"({"team":"a","old":null,"tier":"null"})") == R"({"team":"a","tier":"null"})");
  CHECK(left_of(R"({"old":null})") == "none");
  CHECK(left_of(R"({"twice":"a","twice":null})") == "none");
  for (const auto* other : {"{}", R"({"a":1})", R"({"a":""})", "5", "\"null\"", "[null]"})
    CHECK(left_of(other) == other);
  guest none;
  drop_null_labels(none);
  CHECK(none.extra.empty());
}

TEST_CASE("labels are a small map of short strings") {
  CHECK(refusal(R"("labels":{"team":"a","empty":""})").empty());
  CHECK(refusal(R"("labels":{})").empty());
  for (const auto* wrong : {"5", "null", "[]", R"({"a":1})", R"({"a":null})", R"({"":"x"})", R"({"a=b":"x"})",
                            R"({"a\n":"x"})", R"({"a":"\u0001"})"}) {
    INFO(wrong);
    CHECK_FALSE(refusal(std::string{"\"labels\":"} + wrong).empty());
  }
  CHECK_FALSE(refusal(R"("labels":{")" + letters(65) + R"(":"x"})").empty());
  CHECK_FALSE(refusal(R"("labels":{"a":")" + letters(257) + R"("})").empty());
  std::string many;
  for (int i = 0; i < 65; ++i)
    many += (i > 0 ? "," : "") + ('"' + std::to_string(i)) + R"(":"x")";
  CHECK(refusal(R"("labels":{)" + many + "}") == "labels: more than 64");
}
