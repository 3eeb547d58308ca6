#include "rpc/fetch/patient_reader.hpp"

#include <algorithm>
#include <thread>

namespace mistify::fetching {

using std::chrono::milliseconds;

namespace {

/// What a source sends that is a little faster than too slow.
std::int64_t least_of(const reader_settings& settings) {
  return settings.least_rate > 1 ? std::int64_t{settings.least_rate} * settings.stall_time.count() : 1;
}

} // namespace

patient_reader::patient_reader(const std::string& url, const patience& how, const reader_settings& settings,
                               std::function<bool()> stop)
  : patience_{how}, least_{least_of(settings)}, stop_{std::move(stop)}, from_{url, settings} {}

bool patient_reader::may_try_again(const source_error& e) const {
  const bool is_refusal = e.status() >= 400 && e.status() < 500;
  return e.again() && (patience_.after_refusals || !is_refusal);
}

void patient_reader::pause(milliseconds time) const {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
    if (stop_())
      throw cancelled{};
    std::this_thread::sleep_for(std::min(time, milliseconds{50}));
  }
}

void patient_reader::read(const std::function<void(std::int64_t, std::int64_t)>& begin,
                          const std::function<void(std::string_view)>& data) {
  const reader_sink sink{[&](std::int64_t from, std::int64_t total) {
                           received_ = from;
                           begin(from, total);
                         },
                         [&](std::string_view bytes) {
                           data(bytes);
                           received_ += static_cast<std::int64_t>(bytes.size());
                         },
                         stop_};
  auto wait = patience_.first_pause;
  std::int64_t reached = 0; // at the last try that was worth while: a source that begins anew each time makes no way
  for (unsigned tries = 1;; ++tries) {
    try {
      return from_.read(received_, sink);
    } catch (const source_error& e) {
      if (!may_try_again(e))
        throw;
      if (received_ - reached >= least_) {
        reached = received_;
        tries = 1;
        wait = patience_.first_pause;
      }
      if (tries >= patience_.tries)
        throw source_error{std::string{e.what()} + ", " + std::to_string(tries) + " times", false, e.status()};
    }
    pause(wait);
    wait = std::min(wait * 2, patience_.longest_pause);
  }
}

} // namespace mistify::fetching
