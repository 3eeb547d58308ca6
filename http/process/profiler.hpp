#pragma once

#include "rpc/base/cancellation.hpp"

#include <chrono>
#include <string>

/// Profiles of this process, made by gperftools in the formats that `google-pprof` reads. All of them throw
/// `failure{not_configured}` in a build without it (sanitizers bring an allocator of their own).
namespace mistify::http::profiler {

/// From here on about one in 512 KiB of what is allocated is noted with its stack, for `heap`; unless the environment
/// says otherwise (TCMALLOC_SAMPLE_PARAMETER). Call early, before threads are started.
void start_sampling();

/// Where all threads spend processor time, a hundred samples a second of it, for so long or until `stop` fires. Blocks
/// the calling thread and no other. Throws `failure{conflict}` while another call is under way: there is one such timer
/// in a process.
std::string cpu(std::chrono::seconds length, const rpc::cancellation& stop);

/// What is allocated now, by the stacks that allocated it, as sampled.
std::string heap();

/// The stacks at which the address space grew.
std::string growth();

} // namespace mistify::http::profiler
