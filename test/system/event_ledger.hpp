#pragma once

#include "event_reader.hpp"
#include "house.hpp"

#include <map>
#include <string>
#include <thread>
#include <vector>

namespace mistify::test {

/// Reads the events of an agent that is killed repeatedly, and compares them with its jobs.
class event_ledger {
public:
  explicit event_ledger(const house& of) : of_{of} {}
  ~event_ledger();

  /// Starts to read the events until the agent dies.
  void read_along();

  /// Call after a restart, when all jobs have ended. Checks that the ids continue without gaps, that events received
  /// before the death are unchanged, and that each job has the events of its history exactly once.
  void check();

  std::size_t size() const noexcept { return told_.size(); }

private:
  void wait_for_jobs() const;
  void read_on();
  void check_job(const std::string& job) const;

  const house& of_;
  std::vector<told_event> heard_; // received before the death
  std::thread ear_;
  std::string last_ = "0";
  std::map<std::string, std::string> told_; // data by id
  std::map<std::string, std::vector<told_event>> by_job_;
};

} // namespace mistify::test
