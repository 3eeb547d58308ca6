#include "rpc/fetch/progress_reporter.hpp"

#include <utility>

namespace mistify::fetching {

progress_reporter::progress_reporter(const rpc::agent_address& agent, std::chrono::milliseconds interval)
  : interval_{interval}, agent_{agent, "jobs do not say how far fetches are"}, thread_{
                                                                                 [this](const std::stop_token& stop) {
                                                                                   run(stop);
                                                                                 }} {}

progress_reporter::~progress_reporter() {
  thread_.request_stop();
  agent_.give_up();
  thread_.join();
}

std::shared_ptr<const void> progress_reporter::follow(std::string job, std::shared_ptr<const fetch_progress> fetch) {
  auto followed = std::make_shared<row>(row{std::move(job), std::move(fetch)});
  {
    const std::lock_guard lock{mutex_};
    rows_.push_back(followed);
  }
  wake_.notify_all();
  return followed;
}

void progress_reporter::run(const std::stop_token& stop) {
  while (!stop.stop_requested())
    for (const auto& one : wait(stop)) {
      const auto followed = one.lock(); // it may have ended while others were told of
      // With nobody there, one try is enough for all of them.
      if (stop.stop_requested() || (followed && !tell(*followed)))
        break;
    }
}

/// Those to be told of, an interval after there are any.
progress_reporter::rows progress_reporter::wait(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  std::erase_if(rows_, [](const auto& one) { return one.expired(); });
  wake_.wait(lock, stop, [&] { return !rows_.empty(); });
  wake_.wait_for(lock, stop, interval_, [] { return false; });
  return rows_;
}

/// False where the agent is away.
bool progress_reporter::tell(row& of) {
  auto text = of.fetch->text();
  if (of.refused || text == of.told)
    return true;
  const auto how = agent_.tell_progress(of.job, text, of.fetch->figures());
  of.refused = how == rpc::report_result::refused || how == rpc::report_result::unknown;
  if (how == rpc::report_result::taken)
    of.told = std::move(text);
  return how != rpc::report_result::away;
}

} // namespace mistify::fetching
