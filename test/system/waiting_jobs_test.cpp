#include "house.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Jobs that wait for a place at a sub-agent, which takes four calls at a time where the config does not say.

using namespace mistify::test;

namespace {

constexpr std::size_t at_a_time = 4;

struct crowd {
  explicit crowd(std::size_t guests) {
    for (std::size_t i = 0; i < guests; ++i)
      ids.push_back(h.create_guest());
    h.sub.on("Test.Reboot", [this](const call& asked) {
      if (++called > free_calls)
        slow.wait();
      return echo(asked);
    });
  }

  void reboot_all() {
    for (const auto& id : ids)
      jobs.push_back(h.http.post("/guests/" + id + "/reboot").job());
  }

  /// The guests that were called for, in order.
  std::vector<std::string> called_for() const {
    std::vector<std::string> all;
    for (const auto& asked : h.sub.calls("Test.Reboot"))
      all.push_back(text_at(asked.params, "guest/id"));
    return all;
  }

  /// The places of all jobs in `jobs`, sorted by when they began last, which the log has recorded.
  std::vector<std::size_t> in_order_of_begin() const {
    std::vector<std::pair<std::string, std::size_t>> begun;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      auto at = text_at(h.ended(jobs[i]), "StartedAt");
      at.pop_back(); // the Z, behind digits that may be fewer
      begun.emplace_back(std::move(at), i);
    }
    std::ranges::sort(begun);
    std::vector<std::size_t> places;
    std::ranges::transform(begun, std::back_inserter(places), &std::pair<std::string, std::size_t>::second);
    return places;
  }

  static constexpr std::size_t free_calls = 20; ///< answered at once
  std::atomic<std::size_t> called = 0;
  gate slow;
  house h;
  std::vector<std::string> ids, jobs;
};

} // namespace

TEST_CASE("of the jobs that wait for a place a kill interrupts none, and they run in order after the restart") {
  crowd c{200};
  c.reboot_all();
  REQUIRE(c.h.sub.wait_for("Test.Reboot", crowd::free_calls + at_a_time));
  REQUIRE(c.h.becomes(c.jobs[crowd::free_calls - 1], "Complete"));
  CHECK(c.h.becomes(c.jobs[crowd::free_calls + at_a_time], "Queued"));
  CHECK(c.h.becomes(c.jobs.back(), "Queued"));
  c.h.agent.running().signal(SIGKILL);
  c.h.agent.running().wait();
  c.slow.open();
  c.h.agent.start();

  std::size_t interrupted = 0;
  for (const auto& job : c.jobs) {
    const auto ended = c.h.ended(job);
    if (text_at(ended, "Status") == "Complete")
      continue;
    ++interrupted;
    CHECK(text_at(ended, "Message") == "interrupted by an agent restart in stage 1 (Test.Reboot)");
  }
  CHECK(interrupted <= at_a_time);
  const auto called = c.called_for();
  CHECK(called.size() == c.ids.size()); // each once
  CHECK(std::set<std::string>(called.begin(), called.end()).size() == called.size());
  const auto begun = c.in_order_of_begin(); // their calls may pass each other on the way
  for (std::size_t i = 0; i < begun.size(); ++i) {
    INFO("job " << begun[i] << " began as number " << i);
    CHECK(std::abs(static_cast<std::ptrdiff_t>(begun[i]) - static_cast<std::ptrdiff_t>(i)) <
          static_cast<std::ptrdiff_t>(2 * at_a_time));
  }
}

TEST_CASE("a job that waits for a place can be cancelled, and so can the delete of its guest") {
  crowd c{crowd::free_calls + at_a_time + 2};
  c.reboot_all();
  REQUIRE(c.h.sub.wait_for("Test.Reboot", crowd::free_calls + at_a_time));
  const auto& waits = c.jobs.back();
  CHECK(c.h.http.del("/jobs/" + waits).status == 202);
  CHECK(c.h.message(waits) == "cancelled");
  const auto deleted = c.h.http.del("/guests/" + c.ids.back()).job();
  CHECK(c.h.becomes(deleted, "Queued"));
  c.slow.open();
  CHECK(c.h.outcome(deleted) == "Complete");
  CHECK(c.h.outcome(c.jobs[c.jobs.size() - 2]) == "Complete");
  CHECK(c.called_for().size() == c.ids.size() - 1);
}
