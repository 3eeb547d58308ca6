#include "rpc/fetch/text_content.hpp"

#include <algorithm>
#include <cctype>

namespace mistify::fetching {

bool is_text(std::string_view head) {
  return std::ranges::all_of(head, [](unsigned char c) { return (c >= ' ' && c != 0x7f) || (c >= '\t' && c <= '\r'); });
}

std::string_view without_blanks(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf"))
    text.remove_prefix(3);
  return text.substr(std::min(text.size(), text.find_first_not_of(" \t\r\n\f\v")));
}

bool is_markup(std::string_view head) {
  const auto text = without_blanks(head);
  return text.size() > 1 && text[0] == '<' &&
         (std::isalpha(static_cast<unsigned char>(text[1])) || text[1] == '!' || text[1] == '?') && is_text(head);
}

} // namespace mistify::fetching
