#pragma once

#include "rpc/base/metrics.hpp"

namespace mistify::store {
class guest_index;
}

namespace mistify::http {

class server;

/// Registers metrics of this process: processor time, memory, descriptors, threads.
void add_process_metrics(rpc::metrics::registry& to);

/// Registers the connections of a server and the number of guests. Both outlive the last read of the registry.
void add_server_metrics(rpc::metrics::registry& to, const server& of, const store::guest_index& guests);

} // namespace mistify::http
