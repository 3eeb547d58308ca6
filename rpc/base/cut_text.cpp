#include "rpc/base/cut_text.hpp"

#include "rpc/base/text.hpp"

#include <utility>

namespace mistify::rpc {

namespace {

constexpr std::string_view mark = "…";
constexpr std::size_t replacement = 3; // bytes of U+FFFD

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// Returns the length of the character that this first byte announces; 0 if it cannot begin a character.
std::size_t announced(char first) {
  const auto c = static_cast<unsigned char>(first);
  if (c < 0x80)
    return 1;
  if (c >= 0xc2 && c < 0xe0)
    return 2;
  if (c >= 0xe0 && c < 0xf0)
    return 3;
  return c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

/// Returns the bytes of the first character of `text`; 0 if it is not valid UTF-8.
std::size_t first_character(std::string_view text) {
  const auto size = announced(text.front());
  if (size > text.size())
    return 0;
  for (std::size_t i = 1; i < size; ++i)
    if (!continues(text[i]))
      return 0;
  return size;
}

/// Returns how many bytes of `text` fit; the cut is between two characters.
std::size_t fitting(std::string_view text, std::size_t most) {
  const auto room = most - (most < mark.size() ? most : mark.size());
  std::size_t at = 0, shown = 0, cut_at = 0;
  while (at < text.size()) {
    const auto size = first_character(text.substr(at));
    shown += size == 0 ? replacement : size;
    if (shown > most)
      return cut_at;
    at += size == 0 ? 1 : size;
    if (shown <= room)
      cut_at = at;
  }
  return text.size();
}

bool surely_fits(std::string_view text, std::size_t most) {
  return text.size() <= most / replacement;
}

/// Returns the bytes of the control character that begins there, 1 or 2; 0 if there is none.
std::size_t control_at(std::string_view text, std::size_t at) noexcept {
  if (text::is_control(text[at]))
    return 1;
  const bool is_c1 = text[at] == '\xc2' && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0 &&
                     continues(text[at + 1]);
  return is_c1 ? 2 : 0;
}

} // namespace

std::string cut_text(std::string_view text, std::size_t most) {
  std::string result{text};
  shorten_text(result, most);
  return result;
}

void shorten_text(std::string& text, std::size_t most) {
  if (surely_fits(text, most))
    return;
  const auto size = fitting(text, most);
  if (size == text.size())
    return;
  text.resize(size);
  text.shrink_to_fit(); // frees memory: the text may have been 16 MiB
  if (most >= mark.size())
    text += mark;
}

bool has_control(std::string_view text) noexcept {
  constexpr char before_others = '\xc2'; // those beyond ASCII have two bytes
  if (!text::has_any_control(text) && text.find(before_others) == text.npos)
    return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (control_at(text, i) > 0)
      return true;
  return false;
}

void drop_controls(std::string& text) {
  if (!has_control(text))
    return;
  std::string kept;
  for (std::size_t i = 0; i < text.size();)
    if (const auto size = control_at(text, i); size > 0)
      i += size;
    else
      kept += text[i++];
  text = std::move(kept);
}

} // namespace mistify::rpc
