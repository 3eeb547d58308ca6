#include "http/client/job_waiter.hpp"

#include <utility>

namespace mistify::client {

bool looks_like_restart(const failure& e) noexcept {
  constexpr int stopping = 503;
  return e.code() == fault::lost || e.code() == fault::unreachable || e.code() == fault::timeout ||
         e.status() == stopping;
}

patience::patience(milliseconds at_first, std::function<void(const failure&)> on_away)
  : until_{clock::now() + at_first}, on_away_{std::move(on_away)} {}

bool patience::bears(const failure& e) {
  if (!looks_like_restart(e)) {
    if (e.code() == fault::refused)
      note_answer();
    return false;
  }
  if (clock::now() >= until_)
    return false;
  if (on_away_)
    std::exchange(on_away_, {})(e);
  return true;
}

void patience::note_answer() {
  until_ = clock::now() + client::outage;
  on_away_ = {};
}

answer<job> wait_for(client& at, std::string_view id, std::chrono::milliseconds pace,
                     const std::function<void(const job&)>& seen, patience& left) {
  // The first look returns at once: it says whether there is such a job.
  auto now = left.outlast([&] { return at.find_job(id); });
  for (;;) {
    const auto state = now.value();
    if (rpc::has_ended(state.status))
      return now;
    seen(state);
    now = left.outlast([&] { return at.await_job(id, pace); });
  }
}

} // namespace mistify::client
