#pragma once

#include "rpc/agents/libvirt/event_loop.hpp"
#include "rpc/agents/libvirt/hypervisor.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/server.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace mistify::agents {

/// Runs virtual machines through libvirt. Methods: `Libvirt.` with CreateGuest (and its older name Create), Run, Reboot,
/// Restart, Shutdown, Poweroff, Suspend, Delete, Status, CPUMetrics, DiskMetrics, NicMetrics. One a process.
class libvirt_agent {
public:
  libvirt_agent(std::uint16_t port, std::string uri, std::filesystem::path consoles);

  rpc::server& server() noexcept { return server_; }

private:
  void serve_guests();
  void serve_metrics();

  event_loop loop_; // first: connections need it
  hypervisor hypervisor_;
  machines machines_;
  rpc::server server_; // last: its handlers use what is above
};

} // namespace mistify::agents
