#include "rpc/fetch/progress_reporter.hpp"
#include "test/rpc/scripted_agent.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <mutex>

using namespace mistify;
using namespace mistify::test;
using namespace std::chrono_literals;
using Catch::Contains;
using Catch::StartsWith;
using fetching::fetch_progress;
using fetching::progress_reporter;

namespace {

constexpr std::int64_t mb = 1024 * 1024;

/// An agent that notes what it is told, and answers with this status.
class listening_agent {
public:
  explicit listening_agent(std::string status = "200 OK") : status_{std::move(status)} {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }

  /// The requests, when so many have come; fewer where they do not come in time.
  std::vector<std::string> requests(std::size_t count, std::chrono::milliseconds patience = 5s) {
    std::unique_lock lock{mutex_};
    came_.wait_for(lock, patience, [&] { return requests_.size() >= count; });
    return requests_;
  }

private:
  void serve(peer& from) {
    for (auto request = from.request(); !request.empty(); request = from.request()) {
      {
        const std::lock_guard lock{mutex_};
        requests_.push_back(request);
      }
      came_.notify_all();
      if (!from.send(http("{}", status_)))
        return;
    }
  }

  const std::string status_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::string> requests_;
  scripted_agent server_{[this](peer& from) { serve(from); }}; // last: it uses the others
};

} // namespace

TEST_CASE("jobs are told how far their fetch is, again and again, until they are let go") {
  listening_agent agent;
  progress_reporter reporter{agent.url(), 5ms};
  const auto progress = std::make_shared<fetch_progress>();
  progress->receive(1 * mb, 3 * mb);
  auto one = reporter.follow("job-1", progress);
  REQUIRE(agent.requests(1).size() >= 1);
  CHECK_THAT(agent.requests(1)[0], StartsWith("PUT /jobs/job-1/progress ") && Contains("fetching: 1 of 3 MB, "));
  progress->convert();
  const auto other = reporter.follow("job-2", progress);
  while (!agent.requests(1, 0s).back().starts_with("PUT /jobs/job-2/"))
    std::this_thread::yield();
  CHECK_THAT(agent.requests(1).back(), Contains("converting"));
  one.reset();
}

TEST_CASE("what the agent knows already is not told again") {
  listening_agent agent;
  progress_reporter reporter{agent.url(), 1ms};
  const auto progress = std::make_shared<fetch_progress>();
  progress->convert();
  const auto followed = reporter.follow("job", progress);
  REQUIRE(agent.requests(1).size() == 1);
  CHECK(agent.requests(2, 50ms).size() == 1);
}

TEST_CASE("a job that the agent does not know is not told of again") {
  listening_agent agent{"404 Not Found"};
  progress_reporter reporter{agent.url(), 1ms};
  const auto followed = reporter.follow("job", std::make_shared<fetch_progress>());
  REQUIRE(agent.requests(1).size() == 1);
  CHECK(agent.requests(2, 50ms).size() == 1);
}

TEST_CASE("what the agent does not take now it is told again") {
  listening_agent agent{"503 Service Unavailable"};
  progress_reporter reporter{agent.url(), 1ms};
  const auto progress = std::make_shared<fetch_progress>();
  progress->convert();
  const auto followed = reporter.follow("job", progress);
  CHECK(agent.requests(3).size() >= 3);
}

TEST_CASE("a fetch that is soon over is not told of") {
  listening_agent agent;
  progress_reporter reporter{agent.url(), 20ms};
  reporter.follow("job", std::make_shared<fetch_progress>()).reset();
  CHECK(agent.requests(1, 100ms).empty());
}

TEST_CASE("an agent that is away or silent holds up neither who follows nor the end") {
  const bool is_silent = GENERATE(false, true);
  scripted_agent silent{[](peer& from) { from.hang(); }};
  const auto before = std::chrono::steady_clock::now();
  {
    progress_reporter reporter{"http://127.0.0.1:" + std::to_string(is_silent ? silent.port() : free_port()), 1ms};
    std::vector<std::shared_ptr<const void>> followed;
    for (int i = 0; i < 100; ++i)
      followed.push_back(reporter.follow("job", std::make_shared<fetch_progress>()));
    while (is_silent && silent.connections() == 0)
      std::this_thread::yield();
  }
  CHECK(std::chrono::steady_clock::now() - before < 4s);
}
