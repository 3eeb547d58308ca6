#include "rpc/base/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mistify::rpc {

namespace {

/// How many bytes at the front are ASCII, as far as whole words show: most text is nothing else.
std::size_t ascii_words(std::string_view bytes) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t at = 0;
  for (std::uint64_t word = 0; bytes.size() - at >= sizeof word; at += sizeof word) {
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & high_bits) != 0)
      break;
  }
  return at;
}

bool is_between(unsigned char c, unsigned first, unsigned last) noexcept {
  return c >= first && c <= last;
}

} // namespace

/// The rows are those of RFC 3629, section 4.
std::size_t utf8_length(std::string_view bytes) noexcept {
  const auto at = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : '\0'; };
  const auto tail = [&](std::size_t i) { return is_between(at(i), 0x80, 0xbf); };
  const auto first = at(0), second = at(1);
  if (first < 0x80)
    return 1;
  if (is_between(first, 0xc2, 0xdf))
    return tail(1) ? 2 : 0;
  if (is_between(first, 0xe0, 0xef)) {
    const bool fits = is_between(second, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return fits && tail(2) ? 3 : 0;
  }
  if (is_between(first, 0xf0, 0xf4)) {
    const bool fits = is_between(second, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return fits && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    bytes.remove_prefix(ascii_words(bytes));
    for (int i = 0; i < 8 && !bytes.empty(); ++i) {
      const auto length = utf8_length(bytes);
      if (length == 0)
        return false;
      bytes.remove_prefix(length);
    }
  }
  return true;
}

} // namespace mistify::rpc
