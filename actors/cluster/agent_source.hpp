#pragma once

#include "actors/cluster/guest_watch.hpp"
#include "actors/cluster/registrar.hpp"
#include "actors/host/host_state.hpp"

namespace mistify::actors::cluster {

struct room {
  resources total, available;
};

/// The host's room for guests as it is published in the cluster: none is available in maintenance.
room room_of(const host_capacity& has) noexcept;

/// The picture of this agent, for the registrar's thread: guests from the store, the room as admission counts it.
class agent_source final : public host_source {
public:
  /// All outlive the object.
  agent_source(const host_state& host, const store::guest_index& guests, const store::event_feed& events,
               const store::job_reader& jobs)
    : host_{host}, guests_{guests, events, jobs} {}

  picture look() override;

private:
  const host_state& host_;
  guest_watch guests_;
  bool failed_ = false; ///< whether reading the database failed last time: each failure is logged once
};

} // namespace mistify::actors::cluster
