#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::cli {

/// What a bar shows.
struct advance {
  std::string label, message, unit;
  std::uint64_t done = 0, total = 0; ///< total 0: unknown
};

/// The text of a bar: at most `columns` wide. With a total a bar, the share, the rate and the time left; else what is
/// done and the time so far. `elapsed` since the begin.
std::string bar_text(const advance& now, std::chrono::milliseconds elapsed, std::size_t columns);

/// "1.5 GB", "12 MB"; of bytes.
std::string bytes_text(double bytes);

/// One line on standard error that is written over and over. Without a terminal nothing but plain lines: a message that
/// has changed, at most every 5 s.
class bar {
public:
  bar();
  ~bar() { clear(); }
  bar(const bar&) = delete;
  bar& operator=(const bar&) = delete;

  void show(const advance& now);
  void clear();
  bool live() const noexcept { return live_; }

private:
  using clock = std::chrono::steady_clock;
  const bool live_;
  bool shown_ = false;
  clock::time_point begin_ = clock::now(), last_{};
  std::string label_, message_;
};

} // namespace mistify::cli
