#include "rpc/http1/grammar.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace mistify::rpc;

TEST_CASE("a control character is found wherever it stands, and nothing else is taken for one") {
  for (std::size_t size = 1; size <= 20; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int c = 0; c < 256; ++c)
        for (const char others : {' ', '~', '\x80', '\xff'}) {
          std::string s(size, others);
          s[at] = static_cast<char>(c);
          const bool control = c < 0x20 || c == 0x7f;
          if (text::has_any_control(s) != control || text::has_control(s) != (control && c != '\t'))
            FAIL("character " << c << " at " << at << " of " << size);
        }
  CHECK_FALSE(text::has_any_control(""));
}
