#pragma once

#include "rpc/base/metrics.hpp"

namespace mistify::store {
class directory;
}

namespace mistify::http {

class server;

/// Registers what the system knows about this process: processor time, memory, descriptors, threads.
void add_process_metrics(rpc::metrics::registry& to);

/// Registers the connections of a server, and how many guests there are. Both outlive the last look at the registry.
void add_server_metrics(rpc::metrics::registry& to, const server& of, const store::directory& guests);

} // namespace mistify::http
