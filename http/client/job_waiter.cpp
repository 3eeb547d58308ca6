#include "http/client/job_waiter.hpp"

#include <thread>

namespace mistify::client {

using clock = std::chrono::steady_clock;

bool looks_like_restart(const failure& e) noexcept {
  constexpr int stopping = 503;
  return e.code() == fault::lost || e.code() == fault::unreachable || e.code() == fault::timeout ||
         e.status() == stopping;
}

answer<job> wait_for(client& at, std::string_view id, std::chrono::milliseconds pace,
                     const std::function<void(const job&)>& seen) {
  constexpr std::chrono::milliseconds between_attempts{200};
  auto last = clock::now();
  for (bool first = true;; first = false) {
    try {
      // The first look tells a job that is not there, or an agent that is not, at once.
      auto now = first ? at.find_job(id) : at.await_job(id, pace);
      last = clock::now();
      const auto state = now.value();
      if (rpc::has_ended(state.status))
        return now;
      seen(state);
    } catch (const failure& e) {
      if (first || !looks_like_restart(e) || clock::now() - last >= client::outage)
        throw;
      std::this_thread::sleep_for(between_attempts);
    }
  }
}

} // namespace mistify::client
