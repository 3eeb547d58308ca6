#include "rpc/fetch/fetch_progress.hpp"

#include "rpc/fetch/units.hpp"

#include <algorithm>
#include <cstdio>

namespace mistify::fetching {

void fetch_progress::receive(std::int64_t bytes, std::int64_t total) noexcept {
  bytes_ = bytes;
  total_ = total;
}

void fetch_progress::begin() noexcept {
  begin_ = std::chrono::steady_clock::now();
  waiting_ = false;
}

void fetch_progress::note(const std::string& text) {
  const std::lock_guard lock{mutex_};
  note_ = text;
}

std::string fetch_progress::numbers() const {
  if (waiting_)
    return "waiting";
  if (converting_)
    return "converting";
  const std::int64_t bytes = bytes_, total = total_;
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin_.load();
  const auto in_mb = [](double n) { return n / static_cast<double>(megabyte); };
  char text[96];
  const auto rate = in_mb(static_cast<double>(bytes)) / std::max(time.count(), 0.001);
  if (total >= 0)
    std::snprintf(text, sizeof text, "fetching: %.0f of %.0f MB, %.1f MB/s", in_mb(static_cast<double>(bytes)),
                  in_mb(static_cast<double>(total)), rate);
  else
    std::snprintf(text, sizeof text, "fetching: %.0f MB, %.1f MB/s", in_mb(static_cast<double>(bytes)), rate);
  return text;
}

rpc::job_progress fetch_progress::figures() const {
  const std::int64_t bytes = bytes_, total = total_;
  if (waiting_ || (bytes == 0 && total < 0))
    return {};
  rpc::job_progress known{static_cast<std::uint64_t>(bytes), {}, "bytes"};
  if (total >= 0)
    known.total = static_cast<std::uint64_t>(total);
  return known;
}

std::string fetch_progress::text() const {
  auto text = numbers();
  const std::lock_guard lock{mutex_};
  if (!note_.empty())
    text += "; " + note_;
  return text;
}

} // namespace mistify::fetching
