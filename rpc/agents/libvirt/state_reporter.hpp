#pragma once

#include "rpc/agents/libvirt/domain_notes.hpp"
#include "rpc/agents/libvirt/domain_watch.hpp"
#include "rpc/agents/libvirt/hypervisor.hpp"
#include "rpc/agents/libvirt/known_guests.hpp"
#include "rpc/agents/libvirt/room_watch.hpp"
#include "rpc/kit/agent_reporter.hpp"
#include "rpc/kit/due_reports.hpp"

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

namespace mistify::agents {

using rpc::due_reports;

/// Tells the agent what guests are in whenever that changes, so that it knows of those that shut down, crash or are
/// started by somebody else. What the agent does not take is told again, as it is then. Once after each connection to
/// libvirt, and after the agent was away, it reports all guests, also those whose machines are gone since.
///
/// A guest that stopped because a disk was full goes on once there is room, unless the agent has it with
/// `"on_io_error": "stay"`, or it was suspended meanwhile.
///
/// Has a thread of its own, on which all of it happens.
class state_reporter {
public:
  /// Throws std::invalid_argument for a URL that cannot be the agent's. That libvirt or the agent is not there does not
  /// matter.
  /// `notes` receives what libvirt's events say. libvirt may still call when the reporter has ended. `known` is the
  /// folder of `known_guests`.
  state_reporter(hypervisor& of, const rpc::agent_address& agent, std::shared_ptr<domain_notes> notes,
                 std::filesystem::path known = {});
  ~state_reporter();

  /// The machine of that guest was looked for, and is not there. From any thread.
  void note_missing(const std::string& guest);

private:
  /// What libvirt's callbacks leave for the thread; they may come while the reporter ends.
  struct inbox {
    void add(const std::string& guest, due_reports::clock::duration in);
    void note_broken();

    std::mutex mutex;
    std::condition_variable_any wake;
    due_reports due;
    bool broken = true; ///< there is no watch, or its connection is gone
  };

  void run(const std::stop_token& stop);
  bool keep_watching();
  void watch();
  std::optional<std::string> wait(const std::stop_token& stop);
  void report(const std::string& guest, const std::stop_token& stop);
  void settle(const std::string& guest, rpc::report_result how);
  std::set<std::string> all_guests() const;
  struct look {
    std::string state, reason;
  };
  look look_up(const std::string& guest) const;
  void wait_for_room(const std::string& guest, const look& at, const std::string& stored);
  void go_on(const std::string& guest);
  bool resume(virDomainPtr machine, const std::string& guest);
  void report_everyone(const std::stop_token& stop);

  hypervisor& hypervisor_;
  std::shared_ptr<domain_notes> notes_;
  room_watch room_;
  known_guests known_;
  rpc::agent_reporter agent_;
  std::shared_ptr<inbox> inbox_ = std::make_shared<inbox>();
  std::optional<domain_watch> watch_;
  bool libvirt_is_away_ = false, agent_is_away_ = false;
  std::jthread thread_; // last: it uses the others
};

} // namespace mistify::agents
