#include "rpc/base/utf8.hpp"

#include <catch2/catch.hpp>

#include <string>

using mistify::rpc::is_utf8;

TEST_CASE("text of every length of characters is UTF-8, wherever it stands") {
  for (const std::string character : {"a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                      "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    for (std::size_t before = 0; before < 20; ++before)
      for (std::size_t behind = 0; behind < 20; ++behind)
        CHECK(is_utf8(std::string(before, 'x') + character + std::string(behind, 'y')));
  CHECK(is_utf8(""));
  CHECK(is_utf8(std::string_view{"\0", 1}));
}

TEST_CASE("overlong forms, surrogates, what is too large, cut off or out of place is no UTF-8") {
  for (const std::string bad :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xe1\x80", "\xe1\x80\x41", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xf1\x80\x80", "\xf1\x80\x80\x41", "\xfe", "\xff"})
    for (std::size_t before = 0; before < 20; ++before)
      CHECK_FALSE(is_utf8(std::string(before, 'x') + bad));
}
