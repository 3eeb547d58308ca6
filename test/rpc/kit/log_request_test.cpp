#include "rpc/kit/log_request.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace mistify;

TEST_CASE("a request for a log names the guest by id or whole, and what is absent or null is not asked for") {
  const auto all = rpc::decode_log_request(R"({"guest":{"id":"a"}})");
  CHECK(all.guest == "a");
  CHECK_FALSE(all.tail);
  CHECK_FALSE(all.limit);
  CHECK(all.offset == 0);
  CHECK_FALSE(all.follow);
  CHECK_FALSE(all.adopted);
  CHECK(rpc::decode_log_request(R"({"guest":{"id":"a","adopted":true}})").adopted);
  const auto part = rpc::decode_log_request(R"({"guest":"a","tail":null,"offset":3,"limit":4,"follow":true})");
  CHECK(part.guest == "a");
  CHECK(part.offset == 3);
  CHECK(part.limit == 4U);
  CHECK(part.follow);
  for (const auto* bad :
       {"", "[]", R"({"guest":5})", R"({"guest":"a","tail":1,"offset":0})", R"({"guest":"a","tail":1,"limit":1})",
        R"({"guest":"a","tail":-1})", R"({"guest":"a","follow":1})"})
    CHECK_THROWS(rpc::decode_log_request(bad));
}

TEST_CASE("a window passes on the bytes between offset and limit, whatever pieces they come in") {
  std::string got;
  const rpc::byte_sink to{[&](std::string_view bytes) {
    got += bytes;
    return true;
  }};
  rpc::byte_window window{{.guest = "a", .tail = {}, .offset = 3, .limit = 4}, to};
  CHECK(window.add("ab"));
  CHECK(window.add("cde"));
  CHECK_FALSE(window.add("fghi"));
  CHECK(got == "defg");
  CHECK_FALSE(window.receiver_left());
  const rpc::byte_sink gone{[](std::string_view) { return false; }};
  rpc::byte_window other{{}, gone};
  CHECK_FALSE(other.add("a"));
  CHECK(other.receiver_left());
}
