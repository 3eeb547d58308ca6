#pragma once

#include "rpc/agents/container/containers.hpp"
#include "rpc/model/messages.hpp"

namespace mistify::agents::container {

// What a guest uses since its start. Times are in seconds. A guest that is off, or not there, has no figures.
// Each throws `engine_error` with the engine's reason where it gives none.

/// One row: the processor time of all its processes.
rpc::guest_metrics_response cpu_metrics(containers& of, engine& on, const rpc::guest_metrics_request& request);

/// By device of the host ("vda").
rpc::guest_metrics_response disk_metrics(containers& of, engine& on, const rpc::guest_metrics_request& request);

/// By the nic's network, where the guest has one nic. Of several the engine does not say which figures are of which network.
/// Docker has a row for each interface, eth0 and so on, which it numbers by rules of its own that no answer shows; podman has one row,
/// `network`.
rpc::guest_metrics_response nic_metrics(containers& of, engine& on, const rpc::guest_metrics_request& request);

/// The figures of `GET /containers/NAME/stats`, by kind; `nics` are the guest's.
void read_cpu(const rpc::json::node& stats, rpc::guest_metrics_response& to);
void read_disks(const rpc::json::node& stats, rpc::guest_metrics_response& to);
void read_nics(const rpc::json::node& stats, const std::vector<rpc::nic>& nics, rpc::guest_metrics_response& to);

} // namespace mistify::agents::container
