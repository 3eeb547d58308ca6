#include "rpc/base/cut_text.hpp"
#include "rpc/base/json.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using rpc::cut_text;

namespace {

std::size_t bytes_as_json(const std::string& text) {
  return rpc::json::document::parse(rpc::json::writer{}.value(text).str()).root().as_string("").size();
}

} // namespace

TEST_CASE("a text that fits stays as it is") {
  CHECK(cut_text("", 0).empty());
  CHECK(cut_text("short", 5) == "short");
  CHECK(cut_text("äöü", 6) == "äöü");
  CHECK(cut_text(std::string(4096, 'x'), 4096) == std::string(4096, 'x'));
}

TEST_CASE("a longer text ends with a mark and is never over the bound") {
  CHECK(cut_text("a longer text", 10) == "a longe…");
  CHECK(cut_text(std::string(16'000'000, 'x'), 4096).size() == 4096);
  CHECK(cut_text("abcdef", 3) == "…");
  CHECK(cut_text("abcdef", 2).empty());
}

TEST_CASE("a text is cut between characters") {
  for (std::size_t most = 3; most < 40; ++most) {
    const auto cut = cut_text("aä€😀aä€😀aä€😀aä€😀", most);
    INFO(most << ' ' << cut);
    CHECK(cut.size() <= most);
    CHECK(bytes_as_json(cut) == cut.size());
  }
}

TEST_CASE("bytes that are no UTF-8 count as what they are shown as") {
  for (const auto* odd : {"\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\x80", "a\xed"}) {
    std::string text;
    for (int i = 0; i < 100; ++i)
      text += odd;
    CHECK(bytes_as_json(cut_text(text, 90)) <= 90);
  }
}

TEST_CASE("control characters are found, those beyond ASCII too") {
  using rpc::has_control;
  for (const auto* text : {"a\nb", "\x01", "x\x7f", "a\xc2\x80", "\xc2\x9f", "tab\t"})
    CHECK(has_control(text));
  CHECK(has_control(std::string(1, '\0')));
  for (const auto* text : {"", "plain", "ä ö", "\xc2\xa0", "\xc2", "日本"})
    CHECK_FALSE(has_control(text));
}

TEST_CASE("control characters are dropped, and nothing else") {
  const auto without = [](std::string text) {
    rpc::drop_controls(text);
    return text;
  };
  CHECK(without("plain ä\xc2\xa0日本\xff") == "plain ä\xc2\xa0日本\xff");
  CHECK(without("\x1b[1mred\r\n\x7f\xc2\x85\xc2") == "[1mred\xc2");
  CHECK(without("\n\t").empty());
}
