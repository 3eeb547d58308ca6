#include "http/cli/mistify/text.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cwchar>

namespace mistify::cli {

namespace {

constexpr char32_t no_character = 0xffffffff;

/// Takes the first character off; `no_character` for a byte that begins none.
char32_t take(std::string_view& text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto first = byte(0);
  std::size_t length = 1;
  char32_t c = first;
  if (first >= 0xc2 && first < 0xe0)
    length = 2, c = first & 0x1fU;
  else if (first >= 0xe0 && first < 0xf0)
    length = 3, c = first & 0x0fU;
  else if (first >= 0xf0 && first < 0xf5)
    length = 4, c = first & 0x07U;
  else if (first >= 0x80)
    c = no_character;
  for (std::size_t i = 1; i < length && c != no_character; ++i)
    c = (byte(i) & 0xc0U) == 0x80 ? (c << 6U) | (byte(i) & 0x3fU) : no_character;
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (c != no_character && (c < least.at(length) || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)))
    c = no_character;
  text.remove_prefix(c == no_character ? 1 : length);
  return c;
}

/// Control characters, and marks that reorder or hide what stands beside them.
bool acts(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe0fff);
}

void append_escape(std::string& to, const char* form, unsigned value) {
  std::array<char, 16> text{};
  const auto n = std::snprintf(text.data(), text.size(), form, value);
  to.append(text.data(), static_cast<std::size_t>(n));
}

/// Once: C.UTF-8, whose wcwidth knows all characters, is part of every Debian.
void use_utf8() {
  static const bool done = std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
  static_cast<void>(done);
}

std::size_t width_of(char32_t c) {
  use_utf8();
  const int columns = ::wcwidth(static_cast<wchar_t>(c));
  return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

} // namespace

std::string escape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto rest = text;
    const auto c = take(text);
    const auto used = rest.substr(0, rest.size() - text.size());
    if (c == no_character)
      append_escape(out, "\\x%02x", static_cast<unsigned char>(used.front()));
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (acts(c))
      append_escape(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
    else
      out += used;
  }
  return out;
}

std::string escape_json(std::string_view json) {
  std::string out;
  while (!json.empty()) {
    const auto rest = json;
    const auto c = take(json);
    const auto used = rest.substr(0, rest.size() - json.size());
    if (c == no_character || (acts(c) && c >= 0xe0000)) // the first cannot be in parsed JSON
      out += "\\ufffd";
    else if (acts(c) && c >= 0x20)
      append_escape(out, "\\u%04x", c);
    else
      out += used; // JSON has no others within strings
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty())
    columns += width_of(take(text));
  return columns;
}

std::string cut_to(std::string_view text, std::size_t most) {
  std::string out;
  for (std::size_t columns = 0; !text.empty();) {
    const auto rest = text;
    const auto width = width_of(take(text));
    if (columns + width > most)
      break;
    columns += width;
    out += rest.substr(0, rest.size() - text.size());
  }
  return out;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36)
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex)
      return false;
  }
  return true;
}

} // namespace mistify::cli
