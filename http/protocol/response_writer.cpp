#include "http/protocol/response_writer.hpp"

#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace mistify::http {

namespace {

/// Writes to memory that has room for all. A literal then costs a move or two, where appending it to a text cost 50
/// instructions, and a head has twenty.
class head_pen {
public:
  explicit head_pen(char* to) noexcept : at_{to} {}

  template <std::size_t N>
  head_pen& literal(const char (&text)[N]) noexcept {
    std::memcpy(at_, text, N - 1);
    at_ += N - 1;
    return *this;
  }
  head_pen& text(std::string_view s) noexcept {
    at_ += s.copy(at_, s.size());
    return *this;
  }
  /// Control characters become spaces.
  head_pen& value(std::string_view s) noexcept {
    auto* const begin = at_;
    text(s);
    if (rpc::text::has_any_control(s))
      std::replace_if(begin, at_, rpc::text::is_control, ' ');
    return *this;
  }
  head_pen& number(std::int64_t n) noexcept {
    at_ = std::to_chars(at_, at_ + most_digits, n).ptr;
    return *this;
  }
  const char* at() const noexcept { return at_; }

  static constexpr std::size_t most_digits = 20;

private:
  char* at_;
};

/// At least as much as the head takes.
std::size_t room_for(const answer& a, const head_options& options) {
  constexpr std::size_t literals_and_numbers = 320, around_value = 4;
  auto room = literals_and_numbers + reason_phrase(a.status).size() + options.date.size() + options.request_id.size() +
              a.content_type.size();
  for (const auto& [name, value] : a.headers)
    room += name.size() + value.size() + around_value;
  return room;
}

/// Headers that say where an answer ends are the server's own business.
bool is_framing(std::string_view name) {
  static constexpr std::array<std::string_view, 5> own{"content-length", "transfer-encoding", "connection",
                                                       "content-type", "date"};
  return std::ranges::any_of(own, [&](std::string_view one) { return rpc::text::equal_ignoring_case(name, one); });
}

/// What is the server's own has no control characters.
void write_own(head_pen& to, const answer& a, const head_options& options) {
  to.literal("HTTP/1.1 ").number(a.status).literal(" ").text(reason_phrase(a.status));
  if (!options.date.empty())
    to.literal("\r\nDate: ").text(options.date);
  if (!options.request_id.empty())
    to.literal("\r\nX-Request-ID: ").text(options.request_id);
  if (!is_bodiless(a.status) && !a.content_type.empty())
    to.literal("\r\nContent-Type: ").text(a.content_type);
  to.literal("\r\nX-Content-Type-Options: nosniff\r\n");
}

void write_headers(head_pen& to, const answer& a, bool varies) {
  bool says_how_to_keep = false;
  for (const auto& [name, value] : a.headers) {
    if (rpc::text::is_token(name) && !is_framing(name))
      to.text(name).literal(": ").value(value).literal("\r\n");
    says_how_to_keep |= rpc::text::equal_ignoring_case(name, "cache-control");
  }
  if (varies)
    to.literal("Vary: Accept-Encoding\r\n");
  if (!says_how_to_keep && !is_bodiless(a.status) && a.content_type.starts_with("application/json"))
    to.literal("Cache-Control: no-store\r\n");
}

void write_framing(head_pen& to, const answer& a, const head_options& options) {
  if (options.chunked)
    to.literal("Transfer-Encoding: chunked\r\n");
  else if (options.content_length >= 0 && !is_bodiless(a.status))
    to.literal("Content-Length: ").number(options.content_length).literal("\r\n");
  if (!options.keep_alive)
    to.literal("Connection: close\r\n");
  else if (options.http_1_0)
    to.literal("Connection: keep-alive\r\n");
  to.literal("\r\n");
}

} // namespace

std::string write_head(const answer& a, const head_options& options) {
  std::string out;
  append_head(out, a, options);
  return out;
}

void append_head(std::string& out, const answer& a, const head_options& options) {
  const auto before = out.size();
  out.resize(before + room_for(a, options));
  head_pen pen{out.data() + before};
  write_own(pen, a, options);
  write_headers(pen, a, options.varies);
  write_framing(pen, a, options);
  out.resize(static_cast<std::size_t>(pen.at() - out.data()));
}

} // namespace mistify::http
