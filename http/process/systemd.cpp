#include "http/process/systemd.hpp"
#include "rpc/base/log.hpp"

#include <systemd/sd-daemon.h>

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>

namespace mistify::http::systemd {

std::vector<inherited_socket> inherited_sockets() {
  std::vector<inherited_socket> sockets;
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  for (int i = 0; i < count; ++i) {
    const std::unique_ptr<char, decltype(&std::free)> name{names[i], &std::free};
    sockets.push_back({SD_LISTEN_FDS_START + i, name.get()});
  }
  std::free(static_cast<void*>(names));
  return sockets;
}

void tell_ready(const std::string& status) {
  sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void tell_stopping() {
  sd_notify(0, "STOPPING=1\nSTATUS=draining");
}

watchdog::watchdog(std::function<bool(std::chrono::milliseconds)> alive) {
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(0, &interval_us) <= 0)
    return;
  const auto times = watchdog_times::of(std::chrono::milliseconds{interval_us / 1000});
  feeder_ = std::jthread{[times, alive = std::move(alive)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    const watchdog_feeder feeder{alive, [] { sd_notify(0, "WATCHDOG=1"); },
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
