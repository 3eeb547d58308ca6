#include "rpc/base/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace mistify::rpc {

namespace {

using namespace std::chrono;

constexpr std::string_view go_zero = "0001-01-01T00:00:00Z"; // how Go writes an unset time
constexpr sys_seconds go_zero_time = sys_days{year{1} / 1 / 1};

void append_padded(std::string& out, std::int64_t value, std::size_t width) {
  const auto digits = std::to_string(value);
  out.append(width - std::min(width, digits.size()), '0').append(digits);
}

/// Parses a text from the left. After the first mismatch every call fails.
class scanner {
public:
  explicit scanner(std::string_view text) : rest_{text} {}

  /// Exactly `width` digits.
  int number(std::size_t width) {
    const auto digits = rest_.substr(0, width);
    if (digits.size() < width || !std::ranges::all_of(digits, is_digit))
      return fail();
    int value = 0;
    std::from_chars(digits.data(), digits.data() + width, value);
    rest_.remove_prefix(width);
    return value;
  }

  /// Reads one of `allowed` and returns it.
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      fail();
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  /// Reads an optional fraction such as ".5"; digits below a nanosecond are cut off.
  nanoseconds fraction() {
    if (!rest_.starts_with('.'))
      return {};
    rest_.remove_prefix(1);
    std::int64_t value = 0;
    std::size_t count = 0;
    for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1), ++count)
      if (count < 9)
        value = value * 10 + (rest_.front() - '0');
    if (count == 0)
      fail();
    for (; count < 9; ++count)
      value *= 10;
    return nanoseconds{value};
  }

  bool finished() const noexcept { return good_ && rest_.empty(); }

private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  int fail() {
    good_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool good_ = true;
};

} // namespace

std::string encode(timestamp value) {
  if (value == timestamp{})
    return std::string{go_zero};
  const auto day = floor<days>(value);
  const year_month_day date{day};
  const hh_mm_ss time{value - day};
  std::string out;
  append_padded(out, int{date.year()}, 4);
  append_padded(out += '-', unsigned{date.month()}, 2);
  append_padded(out += '-', unsigned{date.day()}, 2);
  append_padded(out += 'T', time.hours().count(), 2);
  append_padded(out += ':', time.minutes().count(), 2);
  append_padded(out += ':', time.seconds().count(), 2);
  if (const auto below = time.subseconds().count(); below != 0) {
    append_padded(out += '.', below, 9);
    out.erase(out.find_last_not_of('0') + 1);
  }
  out += 'Z';
  return out;
}

std::optional<timestamp> decode_timestamp(std::string_view text) noexcept {
  scanner in{text};
  const auto y = in.number(4);
  in.one_of("-");
  const auto m = in.number(2);
  in.one_of("-");
  const year_month_day date{year{y}, month{static_cast<unsigned>(m)}, day{static_cast<unsigned>(in.number(2))}};
  in.one_of("Tt");
  const hours hour{in.number(2)};
  in.one_of(":");
  const minutes minute{in.number(2)};
  in.one_of(":");
  const seconds second{in.number(2)};
  const auto below = in.fraction();
  minutes offset{0};
  if (const char sign = in.one_of("Zz+-"); sign == '+' || sign == '-') {
    const hours offset_hours{in.number(2)};
    in.one_of(":");
    const minutes offset_minutes{in.number(2)};
    if (offset_hours > 23h || offset_minutes > 59min)
      return std::nullopt;
    offset = (sign == '+' ? 1 : -1) * (offset_hours + offset_minutes);
  }
  if (!in.finished() || !date.ok() || hour > 23h || minute > 59min || second > 59s)
    return std::nullopt;
  const sys_seconds whole = sys_days{date} + hour + minute + second - offset;
  if (whole == go_zero_time)
    return timestamp{};
  // 64 bits of nanoseconds cover the years 1677 to 2262.
  if (whole <= ceil<seconds>(timestamp::min()) || whole >= floor<seconds>(timestamp::max()))
    return std::nullopt;
  return whole + below;
}

} // namespace mistify::rpc
