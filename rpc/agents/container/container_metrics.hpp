#pragma once

#include "rpc/agents/container/containers.hpp"
#include "rpc/agents/container/interfaces.hpp"
#include "rpc/model/messages.hpp"

namespace mistify::agents::container {

// What a guest uses since its start. Times are in seconds. A guest that is off, or not there, has no figures.
// Each throws `engine_error` with the engine's reason where it gives none.

/// One row: the processor time of all its processes.
rpc::guest_metrics_response cpu_metrics(containers& of, engine& on, const rpc::guest_metrics_request& request);

/// By device of the host ("vda").
rpc::guest_metrics_response disk_metrics(containers& of, engine& on, const rpc::guest_metrics_request& request);

/// By the nic's network, of the interface that the kernel has for its address. Where the container's process is out of sight, the
/// engine's figures: by the network if the guest has one nic, else by the engine's names, which are not those of networks: Docker's
/// eth0 and so on are numbered by rules that no answer shows; podman has one row, `network`, and in 4.3 what was sent for what was
/// received.
rpc::guest_metrics_response nic_metrics(containers& of, engine& on, const rpc::guest_metrics_request& request);

/// The figures of `GET /containers/NAME/stats`, by kind; `nics` are the guest's.
void read_cpu(const rpc::json::node& stats, rpc::guest_metrics_response& to);
void read_disks(const rpc::json::node& stats, rpc::guest_metrics_response& to);
void read_nics(const rpc::json::node& stats, const std::vector<rpc::nic>& nics, rpc::guest_metrics_response& to);
/// The kernel's figures of the nics of `to.guest` that have an interface there.
void read_nics(const interfaces& seen, const container_facts& facts, rpc::guest_metrics_response& to);

} // namespace mistify::agents::container
