#pragma once

#include "rpc/kit/agent_reporter.hpp"

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>

namespace mistify::agents {

/// The guests whose states the agent took from here, each an empty file of its id in a folder: so a machine that goes
/// while this process or libvirt is down is missed later. Trouble with the folder is logged, and costs no more than that.
/// For one thread.
class known_guests {
public:
  /// More than a hypervisor has. What is beyond is not kept.
  static constexpr std::size_t most = 10'000;

  /// Makes the folder where it is missing, and reads it. An empty path: guests are known until the process ends.
  explicit known_guests(std::filesystem::path folder);

  /// The agent has answered a report about the guest: one that it took is of a guest of its own. A guest that it does not
  /// know is forgotten.
  void note(const std::string& guest, rpc::report_result how);

  const std::set<std::string>& all() const noexcept { return guests_; }

private:
  void read();
  void keep(const std::string& guest);
  void forget(const std::string& guest);
  void complain(const std::string& reason);

  const std::filesystem::path folder_;
  std::set<std::string> guests_;
  bool complained_ = false; ///< once a process
};

} // namespace mistify::agents
