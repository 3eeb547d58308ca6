#pragma once

#include "actors/host/host_state.hpp"
#include "rpc/base/metrics.hpp"

namespace mistify::http {

/// Adds what GET /host shows to the agent's metrics. `host` outlives the registry's readers.
void add_host_metrics(rpc::metrics::registry& to, const actors::host_state& host);

} // namespace mistify::http
