#pragma once

#include "rpc/agents/container/containers.hpp"
#include "rpc/kit/agent_reporter.hpp"
#include "rpc/kit/due_reports.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace mistify::agents::container {

/// Reports what guests are in to the agent whenever that changes, so that it knows of those that end, are killed or are
/// started by somebody else. A report that the agent does not take is repeated, with the state of then. All guests are
/// reported after each connection to the engine, and after the agent was away.
///
/// Has two threads: one reads the engine's events, one reports.
class state_reporter {
public:
  /// Throws as `agent_reporter`.
  state_reporter(engine& on, containers& of, guest_marks& marks, const rpc::agent_address& agent);
  ~state_reporter();

private:
  using clock = rpc::due_reports::clock;

  void watch(const std::stop_token& stop);
  void read_events(const std::stop_token& stop);
  void take(const rpc::json::node& event);
  void note_engine(bool is_away, const std::string& reason);

  void report_all(const std::stop_token& stop);
  std::optional<std::string> wait(const std::stop_token& stop);
  void report(const std::string& guest, const std::stop_token& stop);
  void report_everyone(const std::stop_token& stop);
  void settle(const std::string& guest, rpc::report_result how);
  void add(const std::string& guest, clock::duration in);

  engine& engine_;
  containers& containers_;
  guest_marks& marks_;
  rpc::agent_reporter agent_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  rpc::due_reports due_;
  bool engine_is_away_ = false;       // of the watching thread
  bool agent_is_away_ = false;        // of the reporting thread
  std::jthread watching_, reporting_; // last: they use the others
};

} // namespace mistify::agents::container
