#pragma once

#include "rpc/agents/libvirt/event_loop.hpp"
#include "rpc/agents/libvirt/guest_log.hpp"
#include "rpc/agents/libvirt/hypervisor.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/agents/libvirt/state_reporter.hpp"
#include "rpc/base/unique_fd.hpp"
#include "rpc/kit/server.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace mistify::agents {

/// Of the command line.
struct libvirt_settings {
  std::string uri = "test:///default";               ///< of the hypervisor
  rpc::agent_address agent = "";                     ///< who is told of changes; an empty URL: nobody
  std::string consoles = "/var/log/mistify-libvirt"; ///< folder for the logs of the serial consoles
  std::string state = {};                            ///< folder for what is known of guests; empty: none
  place_settings places = {};                        ///< where disks and media may lie
  std::string vnc_ports = "5900-5999";               ///< see `parse_vnc_ports`
  bool user_network = false;                         ///< see `machine_rules`
};

/// Runs virtual machines through libvirt. Methods: `Libvirt.` with CreateGuest, Create (which starts it too), Run,
/// Reboot, Restart, Shutdown, Poweroff, Suspend, Resume, Hibernate, Delete, Status, Update, AttachDisk, DetachDisk,
/// ResizeDisk, AttachNic, DetachNic, Adopt, ListUnmanaged, Pending, CPUMetrics, DiskMetrics, NicMetrics, HostInfo. Logs:
/// POST to /guests/log. Tells the agent what guests do by themselves. One a process.
class libvirt_agent {
public:
  /// Locks the folder `state`; throws `failure{unavailable}` if another one has it.
  libvirt_agent(const rpc::listen_at& where, const libvirt_settings& settings);

  rpc::server& server() noexcept { return server_; }

private:
  using method = rpc::guest_response (machines::*)(const rpc::guest_request&);
  template <class Work>
  auto with_codes(const rpc::guest_request& request, Work work);
  void serve_guests();
  void serve_pending();
  void serve_unmanaged();
  void serve_metrics();
  void serve_host();

  rpc::unique_fd lock_; // first: held until nothing uses the folder any more
  event_loop loop_;     // before the rest: connections need it
  hypervisor hypervisor_;
  std::shared_ptr<domain_notes> notes_ = std::make_shared<domain_notes>();
  machines machines_;
  guest_log log_;
  std::optional<state_reporter> reporter_;
  rpc::server server_; // last: its handlers use what is above
};

} // namespace mistify::agents
