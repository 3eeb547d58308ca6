#pragma once

#include "actors/cluster/picture.hpp"
#include "store/event_feed.hpp"
#include "store/guest_index.hpp"
#include "store/job_reader.hpp"

#include <cstdint>
#include <string>

namespace mistify::actors::cluster {

/// The guests of this host with their states and jobs, kept up to date by the events of the store: only guests that
/// changed are read. For one thread, which it may block for disk reads.
class guest_watch {
public:
  /// All outlive the object.
  guest_watch(const store::guest_index& guests, const store::event_feed& events, const store::job_reader& jobs)
    : guests_{guests}, events_{events}, jobs_{jobs} {}

  /// Brings the states up to date. Returns true if one changed. Throws `failure{storage_failed}`; then the next call
  /// reads the same again.
  bool refresh();

  const guest_states& states() const noexcept { return states_; }

private:
  void read_all();
  bool read(const std::string& id);
  guest_state state_of(const store::stored_guest& guest) const;

  const store::guest_index& guests_;
  const store::event_feed& events_;
  const store::job_reader& jobs_;
  guest_states states_;
  std::int64_t seen_ = -1; ///< the last event that is in the states; -1: none yet
};

} // namespace mistify::actors::cluster
