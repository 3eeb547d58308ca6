#include "http/protocol/header_fields.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace mistify::http;

namespace {

header_fields fields(std::vector<header_field> sent) {
  return header_fields{sent};
}

} // namespace

TEST_CASE("a header field is found by its name in lower case, however it was sent") {
  const auto sent = fields({{"Host", "h"}, {"X-EMPTY", ""}, {"accept", "*/*"}});
  CHECK(sent.find("host") == "h");
  CHECK(sent.find("accept") == "*/*");
  CHECK(sent.find("x-empty") == "");
  CHECK(sent.contains("x-empty"));
  CHECK_FALSE(sent.find("x-absent"));
  CHECK_FALSE(sent.contains("Host"));
  CHECK_FALSE(header_fields{}.find("host"));
}

TEST_CASE("values of a repeated header field are joined in the order in which they were sent") {
  const auto sent = fields({{"X-A", "1"}, {"Host", "h"}, {"x-a", ""}, {"X-a", "3"}, {"X-B", "x"}});
  CHECK(sent.find("x-a") == "1, , 3");
  CHECK(sent.is_repeated("x-a"));
  CHECK(sent.find("host") == "h");
  CHECK(sent.find("x-b") == "x");
  CHECK_FALSE(sent.is_repeated("host"));
  CHECK_FALSE(sent.is_repeated("x-absent"));
  CHECK(sent.size() == 3);
}

TEST_CASE("header fields stay what they are when they move") {
  auto sent = fields({{"A", "1"}});
  const auto moved = std::move(sent);
  CHECK(moved.find("a") == "1");
}

TEST_CASE("as many header fields as fit into a head are joined, whatever their order") {
  std::vector<std::string> names;
  for (int i = 0; i < 8'000; ++i)
    names.push_back("x" + std::to_string(i * 7919 % 8'000 / 2));
  std::vector<header_field> sent;
  for (const auto& name : names)
    sent.push_back({name, "v"});
  const auto all = fields(sent);
  CHECK(all.size() == 4'000);
  for (std::size_t i = 0; i < all.size(); i += 100)
    CHECK(all[i].value == "v, v");
}
