#include "http/server/reader_pace.hpp"

#include <algorithm>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace mistify::http {

namespace {

/// A look that comes later than this says that the process was stopped, or the machine suspended.
constexpr tick stopped = 5'000;

} // namespace

void reader_pace::waits(tick now, std::uint64_t taken) noexcept {
  if (waiting_)
    return note(now, taken);
  if (begun_)
    window_begin_ += now - rested_at_;
  else
    begin_window(now, taken);
  begun_ = waiting_ = true;
  moved_ = taken;
  moved_at_ = now;
}

void reader_pace::rests(tick now) noexcept {
  if (waiting_)
    rested_at_ = now;
  waiting_ = false;
}

bool reader_pace::too_slow(tick now, std::uint64_t taken) noexcept {
  if (now - look_at() > stopped)
    judge_anew(now, taken);
  note(now, taken);
  if (now - moved_at_ >= rule_.patience.count())
    return true;
  if (now - window_begin_ < rule_.window.count())
    return false;
  const auto seconds = static_cast<double>(rule_.window.count()) / 1000;
  if (static_cast<double>(taken - window_taken_) < static_cast<double>(rule_.least_rate) * seconds)
    return true;
  begin_window(now, taken);
  return false;
}

tick reader_pace::look_at() const noexcept {
  const auto stalls = moved_at_ + rule_.patience.count();
  return rule_.least_rate == 0 ? stalls : std::min(stalls, window_begin_ + rule_.window.count());
}

void reader_pace::begin_window(tick now, std::uint64_t taken) noexcept {
  window_begin_ = now;
  window_taken_ = taken;
}

/// The client could take nothing while the process sent nothing.
void reader_pace::judge_anew(tick now, std::uint64_t taken) noexcept {
  begin_window(now, taken);
  moved_ = taken;
  moved_at_ = now;
}

void reader_pace::note(tick now, std::uint64_t taken) noexcept {
  if (taken == moved_)
    return;
  moved_ = taken;
  moved_at_ = now;
}

std::uint64_t unacknowledged_bytes(int fd) noexcept {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

void expect_answers(int fd, std::chrono::milliseconds patience) noexcept {
  constexpr int on = 1, probes = 3;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience).count();
  const int pause = static_cast<int>(std::clamp<std::int64_t>(seconds / (probes + 1), 1, 3600));
  const auto longest = static_cast<unsigned>(std::clamp<std::int64_t>(patience.count(), 1, INT32_MAX));
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &pause, sizeof pause);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof pause);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &longest, sizeof longest);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

} // namespace mistify::http
