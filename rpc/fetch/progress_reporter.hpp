#pragma once

#include "rpc/fetch/fetch_progress.hpp"
#include "rpc/kit/agent_reporter.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mistify::fetching {

/// Tells the agent how far fetches are, in the jobs that wait for them: once in a while, and what is new. An agent that is
/// away, slow or wants none of it holds nothing up. Thread-safe; one thread of its own, which sleeps while nothing is
/// fetched.
class progress_reporter {
public:
  /// Throws std::invalid_argument for a URL that cannot be the agent's.
  explicit progress_reporter(const rpc::agent_address& agent,
                             std::chrono::milliseconds interval = std::chrono::milliseconds{1000});
  ~progress_reporter();

  /// The job is told of as long as what is returned lives. A fetch that is over before the first interval is, is not.
  [[nodiscard]] std::shared_ptr<const void> follow(std::string job, std::shared_ptr<const fetch_progress> fetch);

private:
  struct row {
    std::string job;
    std::shared_ptr<const fetch_progress> fetch;
    std::string told = {}; // what the agent knows
    bool refused = false;
  };
  using rows = std::vector<std::weak_ptr<row>>;

  void run(const std::stop_token& stop);
  rows wait(const std::stop_token& stop);
  bool tell(row& of);

  const std::chrono::milliseconds interval_;
  rpc::agent_reporter agent_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  rows rows_;
  std::jthread thread_; // last: it uses the others
};

} // namespace mistify::fetching
