#pragma once

#include "rpc/agents/libvirt/event_loop.hpp"
#include "rpc/agents/libvirt/hypervisor.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/agents/libvirt/state_reporter.hpp"
#include "rpc/server.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace mistify::agents {

/// Runs virtual machines through libvirt. Methods: `Libvirt.` with CreateGuest (and its older name Create), Run, Reboot,
/// Restart, Shutdown, Poweroff, Suspend, Delete, Status, CPUMetrics, DiskMetrics, NicMetrics. Tells the agent at
/// `agent_url` what guests do by themselves; nobody where that is empty. One a process.
class libvirt_agent {
public:
  libvirt_agent(std::uint16_t port, std::string uri, std::filesystem::path consoles, const std::string& agent_url = {});

  rpc::server& server() noexcept { return server_; }

private:
  void serve_guests();
  void serve_metrics();

  event_loop loop_; // first: connections need it
  hypervisor hypervisor_;
  machines machines_;
  std::optional<state_reporter> reporter_;
  rpc::server server_; // last: its handlers use what is above
};

} // namespace mistify::agents
