#pragma once

#include "rpc/agents/libvirt/hypervisor.hpp"
#include "rpc/model/messages.hpp"

namespace mistify::agents {

// What a guest uses. Times are in seconds, since its start. A guest that is off has no figures.
// Each throws `hypervisor_error` with libvirt's reason where it gives none.

/// One row for each virtual CPU: `vcpu_time` is what it ran; `cpu_time` is that and its share of what the hypervisor
/// itself needed for the guest.
rpc::guest_metrics_response cpu_metrics(hypervisor& of, const rpc::guest_metrics_request& request);

/// By device ("vda").
rpc::guest_metrics_response disk_metrics(hypervisor& of, const rpc::guest_metrics_request& request);

/// By the nics' names ("net0"), as the guest sees its traffic. Nics without a device on the host (user mode) have none.
rpc::guest_metrics_response nic_metrics(hypervisor& of, const rpc::guest_metrics_request& request);

} // namespace mistify::agents
