#pragma once

#include "event_reader.hpp"
#include "house.hpp"

#include <map>
#include <string>
#include <thread>
#include <vector>

namespace mistify::test {

/// Reads the events of an agent that is killed again and again, and holds them against its jobs.
class event_ledger {
public:
  explicit event_ledger(const house& of) : of_{of} {}
  ~event_ledger();

  /// Reads along from now on, until the agent dies.
  void read_along();

  /// After a restart, and once everything has ended: the numbers go on where they were and have no holes, what was told
  /// before the death is what is told again, and each job has the events that its end implies, once.
  void check();

  std::size_t size() const noexcept { return told_.size(); }

private:
  void wait_for_jobs() const;
  void read_on();
  void check_job(const std::string& job) const;

  const house& of_;
  std::vector<told_event> heard_; // before the death
  std::thread ear_;
  std::string last_ = "0";
  std::map<std::string, std::string> told_; // the data by id
  std::map<std::string, std::vector<told_event>> by_job_;
};

} // namespace mistify::test
