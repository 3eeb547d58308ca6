#include "rpc/http1/answer_head.hpp"

#include "rpc/http1/grammar.hpp"

namespace mistify::rpc::http1 {

namespace {

/// "HTTP/1.1 200 OK", where the reason and the blank before it may be missing.
void read_status_line(std::string_view line, answer_head& into) noexcept {
  constexpr std::string_view version = "HTTP/1.";
  constexpr std::size_t digits = version.size() + 2, end = digits + 3;
  if (line.size() < end || !line.starts_with(version) || line[digits - 1] != ' ' ||
      (line.size() > end && line[end] != ' '))
    return;
  const char minor = line[version.size()];
  int status = 0;
  for (const char c : line.substr(digits, 3)) {
    if (!text::is_digit(c))
      return;
    status = status * 10 + (c - '0');
  }
  into.http_1_1 = minor == '1';
  into.sound = minor == '0' || minor == '1';
  into.status = into.sound ? status : 0;
}

void read_field(std::string_view line, answer_head& into) noexcept {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == line.npos || !text::is_token(name)) {
    into.sound = false;
    return;
  }
  const auto value = text::trim(line.substr(colon + 1));
  if (text::equal_ignoring_case(name, "Content-Length")) {
    if (++into.lengths == 1)
      into.length = text::parse_length(value);
  } else if (text::equal_ignoring_case(name, "Transfer-Encoding")) {
    into.chunked = ++into.codings == 1 && text::equal_ignoring_case(value, "chunked");
  } else if (text::equal_ignoring_case(name, "Connection")) {
    into.closes = !text::equal_ignoring_case(value, "keep-alive");
  }
}

} // namespace

answer_head parse_answer_head(std::string_view text) noexcept {
  constexpr std::string_view line_end = "\r\n";
  answer_head head;
  for (bool first = true; !text.empty(); first = false) {
    const auto end = text.find(line_end);
    const auto line = text.substr(0, end);
    if (first)
      read_status_line(line, head);
    else if (!line.empty())
      read_field(line, head);
    text.remove_prefix(end == text.npos ? text.size() : end + line_end.size());
  }
  return head;
}

} // namespace mistify::rpc::http1
