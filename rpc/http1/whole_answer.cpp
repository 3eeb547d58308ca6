#include "rpc/http1/whole_answer.hpp"

#include "rpc/http1/grammar.hpp"

#include <charconv>
#include <cstdint>

namespace mistify::rpc {

namespace {

constexpr std::string_view line_end = "\r\n";

/// What the lines of a head say, as far as it matters here.
struct framing {
  bool sound = true; ///< every line is a header's
  bool chunked = false, closes = false;
  int lengths = 0; ///< how many lines tell one
  std::size_t length = 0;
};

void read_length(std::string_view value, framing& into) {
  const auto* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, into.length);
  if (error != std::errc{} || rest != end)
    into.length = SIZE_MAX;
}

void read_line(std::string_view line, framing& into) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == line.npos || !text::is_token(name)) {
    into.sound = false;
    return;
  }
  const auto value = text::trim(line.substr(colon + 1));
  if (text::equal_ignoring_case(name, "Transfer-Encoding"))
    into.chunked = true;
  else if (text::equal_ignoring_case(name, "Connection"))
    into.closes = !text::equal_ignoring_case(value, "keep-alive");
  else if (text::equal_ignoring_case(name, "Content-Length") && ++into.lengths == 1)
    read_length(value, into);
}

/// `lines`: each ended by CRLF.
framing read_lines(std::string_view lines) {
  framing result;
  while (!lines.empty()) {
    const auto end = lines.find(line_end);
    read_line(lines.substr(0, end), result);
    lines.remove_prefix(end + line_end.size());
  }
  return result;
}

bool is_fine(std::string_view status_line) {
  constexpr std::string_view fine = "HTTP/1.1 200";
  return status_line.starts_with(fine) && (status_line.size() == fine.size() || status_line[fine.size()] == ' ');
}

} // namespace

std::optional<whole_answer> read_whole(std::string_view bytes) {
  const auto head_end = bytes.find("\r\n\r\n");
  if (head_end == bytes.npos || bytes.starts_with("HTTP/1.1 1")) // 100 Continue: another head follows
    return std::nullopt;
  const auto head = bytes.substr(0, head_end + line_end.size());
  const auto body = bytes.substr(head_end + 2 * line_end.size());
  const auto first_end = head.find(line_end);
  const auto told = read_lines(head.substr(first_end + line_end.size()));
  if (told.chunked || told.lengths == 0 || told.length > body.size())
    return std::nullopt;
  whole_answer answer;
  answer.plain = is_fine(head.substr(0, first_end)) && told.sound && told.lengths == 1 && told.length == body.size();
  answer.keeps_alive = !told.closes;
  answer.body = body;
  return answer;
}

} // namespace mistify::rpc
