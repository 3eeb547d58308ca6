#include "http/process/systemd.hpp"

#include "rpc/base/log.hpp"
#include "rpc/base/service_manager.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace mistify::http::systemd {

using rpc::service_manager::notify;

void tell_ready(const std::string& status) {
  notify("READY=1\nSTATUS=" + status);
}

void tell_stopping() {
  notify("STOPPING=1\nSTATUS=draining");
}

watchdog::watchdog(std::function<bool(std::chrono::milliseconds)> alive) {
  const auto interval = rpc::service_manager::watchdog_interval();
  if (!interval)
    return;
  const auto times = watchdog_times::of(std::chrono::floor<std::chrono::milliseconds>(*interval));
  feeder_ = std::jthread{[times, alive = std::move(alive)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    const watchdog_feeder feeder{alive, [] { notify("WATCHDOG=1"); },
                                 [] { rpc::log::error("the actors do not answer: the watchdog is not fed"); },
                                 [&](std::chrono::milliseconds length) {
                                   std::unique_lock lock{mutex};
                                   wake.wait_for(lock, stop, length, [] { return false; });
                                   return !stop.stop_requested();
                                 }};
    feeder.run(times);
  }};
}

void watchdog_feeder::run(watchdog_times times) const {
  // A look that fails at once, as with a dead actor, must not loop without a pause.
  constexpr std::chrono::milliseconds soon{100};
  for (;;) {
    const bool well = alive(times.longest_look);
    well ? feed() : complain();
    if (!pause(well ? times.pause : soon))
      return;
  }
}

} // namespace mistify::http::systemd
