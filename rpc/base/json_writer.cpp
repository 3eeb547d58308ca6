#include "rpc/base/json.hpp"
#include "rpc/base/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace mistify::rpc::json {

namespace {

void append_escape(std::string& out, char c) {
  static constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
  case '"': out += "\\\""; break;
  case '\\': out += "\\\\"; break;
  case '\n': out += "\\n"; break;
  case '\r': out += "\\r"; break;
  case '\t': out += "\\t"; break;
  case '\b': out += "\\b"; break;
  case '\f': out += "\\f"; break;
  default:
    out += "\\u00";
    out += hex[static_cast<unsigned char>(c) >> 4u];
    out += hex[static_cast<unsigned char>(c) & 15u];
  }
}

/// True for a character that must be escaped in a JSON string, or is not ASCII.
bool is_special(char c) noexcept {
  return static_cast<unsigned char>(c - 0x20) >= 0x60 || c == '"' || c == '\\';
}

/// Like `is_special`, for any of eight characters: a subtraction sets the high bit of each byte that is smaller than
/// its subtrahend.
bool has_special(const char* eight) noexcept {
  constexpr auto each = [](char c) { return 0x0101010101010101u * static_cast<unsigned char>(c); };
  std::uint64_t x = 0;
  std::memcpy(&x, eight, sizeof x);
  const auto quotes = (x ^ each('"')) - each(1), backslashes = (x ^ each('\\')) - each(1), controls = x - each(' ');
  return ((x | quotes | backslashes | controls) & 0x8080808080808080u) != 0;
}

std::size_t count_plain(std::string_view s) noexcept {
  std::size_t n = 0;
  while (s.size() - n >= 8 && !has_special(s.data() + n))
    n += 8;
  while (n < s.size() && !is_special(s[n]))
    ++n;
  return n;
}

/// Most texts have nothing to escape.
void append_plain(std::string& out, std::string_view s) {
  const auto at = out.size();
  out.append(s.size() + 2, '"');
  s.copy(out.data() + at + 1, s.size());
}

void append_quoted(std::string& out, std::string_view s) {
  auto plain = count_plain(s);
  if (plain == s.size())
    return append_plain(out, s);
  out += '"';
  for (; !s.empty(); plain = count_plain(s)) {
    out.append(s.substr(0, plain));
    s.remove_prefix(plain);
    if (s.empty())
      break;
    auto length = utf8_length(s);
    if (length > 1)
      out.append(s.substr(0, length));
    else if (length == 1)
      append_escape(out, s.front());
    else
      out += "\xef\xbf\xbd"; // U+FFFD
    s.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 32> digits; // the longest double has 24
  out.append(digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr);
}

/// Appends a number of at most nine decimals, as seconds are that were counted in nanoseconds, in less than half the time that
/// `to_chars` takes to find the shortest text. At most 15 digits that read back the same are the shortest ones. False, and
/// nothing is appended, for others.
bool append_decimal(std::string& out, double value) {
  constexpr std::int64_t billion = 1'000'000'000;
  constexpr double most = 1e15;
  const double scaled = std::fabs(value) * billion;
  if (!(scaled >= 1 && scaled < most))
    return false;
  const std::int64_t billionths = std::llround(scaled);
  if (static_cast<double>(billionths) / billion != std::fabs(value))
    return false;
  std::array<char, 24> text{'-'};
  auto* const begin = text.data() + (value < 0 ? 1 : 0);
  auto* end = std::to_chars(begin, text.end(), billionths / billion).ptr;
  if (const auto fraction = billionths % billion; fraction != 0) {
    auto* const point = end;
    end = std::to_chars(point, text.end(), billion + fraction).ptr; // the first digit keeps the zeros behind the point
    *point = '.';
    while (end[-1] == '0')
      --end;
  }
  out.append(text.data(), end);
  return true;
}

} // namespace

void writer::separate() {
  // The last character decides: no comma follows one of these, and no finished value ends in one.
  if (!out_.empty() && out_.back() != '{' && out_.back() != '[' && out_.back() != ':')
    out_ += ',';
}

/// What begins as an object or array would grow four times until it has the usual size.
void writer::begin() {
  constexpr std::size_t usual = 240;
  if (out_.empty())
    out_.reserve(usual);
  separate();
}

writer& writer::begin_object() {
  begin();
  out_ += '{';
  return *this;
}

writer& writer::end_object() {
  out_ += '}';
  return *this;
}

writer& writer::begin_array() {
  begin();
  out_ += '[';
  return *this;
}

writer& writer::end_array() {
  out_ += ']';
  return *this;
}

writer& writer::key(std::string_view name) {
  separate();
  append_quoted(out_, name);
  out_ += ':';
  return *this;
}

writer& writer::value(std::string_view text) {
  separate();
  append_quoted(out_, text);
  return *this;
}

writer& writer::value(bool v) {
  return raw(v ? "true" : "false");
}

writer& writer::value(std::int64_t v) {
  separate();
  append_number(out_, v);
  return *this;
}

writer& writer::value(std::uint64_t v) {
  separate();
  append_number(out_, v);
  return *this;
}

writer& writer::value(double v) {
  if (!std::isfinite(v))
    return null();
  separate();
  if (!append_decimal(out_, v))
    append_number(out_, v);
  return *this;
}

writer& writer::null() {
  return raw("null");
}

writer& writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

} // namespace mistify::rpc::json
