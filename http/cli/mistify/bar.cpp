#include "http/cli/mistify/bar.hpp"

#include "http/cli/mistify/interrupt.hpp"
#include "http/cli/mistify/screen.hpp"
#include "http/cli/mistify/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace mistify::cli {

namespace {

constexpr std::string_view clear_line = "\r\x1b[K";

std::string time_text(double seconds) {
  const auto whole = static_cast<unsigned long long>(std::clamp(seconds, 0.0, 359'999.0));
  std::array<char, 32> text{};
  if (whole >= 3600)
    std::snprintf(text.data(), text.size(), "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
  else
    std::snprintf(text.data(), text.size(), "%llu:%02llu", whole / 60, whole % 60);
  return text.data();
}

std::string amount_text(double amount, std::string_view unit) {
  if (unit.empty() || unit == "bytes" || unit == "B")
    return bytes_text(amount);
  if (unit == "MB")
    return bytes_text(amount * 1024 * 1024);
  return std::to_string(static_cast<std::uint64_t>(amount)) + " " + escape(unit);
}

void write_error(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

} // namespace

std::string bytes_text(double bytes) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < units.size())
    bytes /= 1024, ++unit;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit > 0 && bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, units.at(unit));
  return text.data();
}

std::string bar_text(const advance& now, std::chrono::milliseconds elapsed, std::size_t columns) {
  const double seconds = std::max(0.001, static_cast<double>(elapsed.count()) / 1000);
  const double done = static_cast<double>(now.done), rate = done / seconds;
  const auto label = escape(now.label);
  if (now.total == 0) {
    auto text = label + "  " + time_text(seconds);
    if (now.done > 0)
      text += "  " + amount_text(done, now.unit) + "  " + amount_text(rate, now.unit) + "/s";
    if (!now.message.empty())
      text += "  " + escape(now.message);
    return cut_to(text, columns);
  }
  const double share = std::min(1.0, done / static_cast<double>(now.total));
  const auto left = rate > 0 ? time_text((static_cast<double>(now.total) - done) / rate) : std::string{"-:--"};
  const auto figures = " " + std::to_string(static_cast<int>(share * 100)) + " %  " +
                       amount_text(static_cast<double>(now.total), now.unit) + "  " + amount_text(rate, now.unit) +
                       "/s  " + left;
  const auto used = width_of(label) + figures.size() + 3;
  std::string line;
  if (used + 8 <= columns) {
    const auto width = std::min<std::size_t>(40, columns - used);
    const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
    line = " [" + std::string(full, '#') + std::string(width - full, '-') + "]";
  }
  return cut_to(label + line + figures, columns);
}

bar::bar() : live_{error_is_terminal()} {}

void bar::show(const advance& now) {
  constexpr std::chrono::seconds between_lines{5};
  const auto at = clock::now();
  if (now.label != label_) {
    label_ = now.label;
    begin_ = at;
  }
  if (!live_) {
    if (now.message.empty() || now.message == message_ || (last_ != clock::time_point{} && at - last_ < between_lines))
      return;
    message_ = now.message;
    last_ = at;
    print_error(now.label + ": " + now.message);
    return;
  }
  if (!shown_)
    interrupt::on_end([] { write_error(clear_line); });
  shown_ = true;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(at - begin_);
  // One column less: some terminals wrap when the last one is filled.
  const auto columns = columns_of_error();
  write_error(std::string{clear_line} + bar_text(now, elapsed, columns > 1 ? columns - 1 : 1));
}

void bar::clear() {
  if (shown_) {
    write_error(clear_line);
    interrupt::on_end({});
  }
  shown_ = false;
}

} // namespace mistify::cli
