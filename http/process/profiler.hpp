#pragma once

#include "rpc/base/cancellation.hpp"

#include <chrono>
#include <string>

/// Profiles of this process, made by gperftools in the formats that `google-pprof` reads. Every function throws
/// `failure{not_configured}` in a build without gperftools (sanitizers use their own allocator).
namespace mistify::http::profiler {

/// Starts heap sampling: one allocation in about 512 KiB is recorded with its stack, for `heap`.
/// TCMALLOC_SAMPLE_PARAMETER in the environment takes precedence. Call early, before other threads start.
void start_sampling();

/// Samples where threads use processor time, a hundred samples per CPU second, for `length` or until `stop`. Blocks
/// only the calling thread. Throws `failure{conflict}` during another call: a process has only one such timer.
std::string cpu(std::chrono::seconds length, const rpc::cancellation& stop);

/// Returns the sampled live allocations by stack.
std::string heap();

/// Returns the stacks at which the address space grew.
std::string growth();

} // namespace mistify::http::profiler
