#include "rpc/agents/libvirt/states.hpp"

#include "rpc/agents/libvirt/handles.hpp"

namespace mistify::agents {

virDomainState state_of(virDomainPtr d) {
  int state = 0;
  must(virDomainGetState(d, &state, nullptr, 0));
  return static_cast<virDomainState>(state);
}

std::string state_name(virDomainPtr d) {
  int state = 0, reason = 0;
  must(virDomainGetState(d, &state, &reason, 0));
  switch (state) {
  case VIR_DOMAIN_RUNNING: return "running";
  case VIR_DOMAIN_BLOCKED: return "blocked";
  case VIR_DOMAIN_PAUSED: return "paused";
  case VIR_DOMAIN_SHUTDOWN: return "shutdown";
  case VIR_DOMAIN_SHUTOFF: return reason == VIR_DOMAIN_SHUTOFF_CRASHED ? "crashed" : "shutoff";
  case VIR_DOMAIN_CRASHED: return "crashed";
  case VIR_DOMAIN_PMSUSPENDED: return "suspended";
  default: return "unknown";
  }
}

} // namespace mistify::agents
