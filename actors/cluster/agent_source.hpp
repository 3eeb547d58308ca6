#pragma once

#include "actors/cluster/guest_watch.hpp"
#include "actors/cluster/registrar.hpp"

namespace mistify::actors::cluster {

/// The picture of this agent, for the registrar's thread. Guests come from the store; the host's size is the kernel's:
/// all its memory (MB, 2^20 bytes) and processors. Available is what no guest was promised. Disks are not known: 0.
class agent_source final : public host_source {
public:
  /// All outlive the object.
  agent_source(const store::guest_index& guests, const store::event_feed& events, const store::job_reader& jobs)
    : guests_{guests, events, jobs} {}

  picture look() override;

private:
  guest_watch guests_;
  bool failed_ = false; ///< reading the database; told once
};

} // namespace mistify::actors::cluster
