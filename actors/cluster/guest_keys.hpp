#pragma once

#include "actors/cluster/keys.hpp"
#include "actors/cluster/mirror.hpp"
#include "actors/cluster/picture.hpp"
#include "rpc/etcd/client.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::actors::cluster {

/// Which writes make the guests' keys true. Plain: no etcd, no clock of its own. For one thread.
///
/// `agents/ID/guests/GUEST` is there for every guest and for no other. `hypervisors/ID/guests/GUEST` is there while the
/// cluster says that the guest is placed here; a name that this host never had stays, since a placement may be under
/// way. Values that are not the agent's stay too.
class guest_keys {
public:
  using clock = std::chrono::steady_clock;

  /// A placement that was looked up is trusted for `placement_age`; then it is looked up again.
  guest_keys(const keys& names, std::string id, clock::duration placement_age)
    : names_{names}, id_{std::move(id)}, placement_age_{placement_age} {}

  /// Guests of which the agent left keys at an earlier time: they were here once.
  void remember(const mirror& is);

  /// Guests whose placement has to be looked up now, at most `most`; the oldest look-ups first.
  std::vector<std::string> to_look_up(const guest_states& guests, clock::time_point now, std::size_t most) const;
  /// The outcome of a look-up: the value of `guests/GUEST/metadata`, empty if there is none.
  void note_placement(const std::string& guest, std::string_view value, clock::time_point now);

  struct writes {
    std::vector<rpc::etcd::change> own;    ///< below agents/ID: only this agent writes there
    std::vector<rpc::etcd::change> shared; ///< below hypervisors/ID: each on the condition of what is known
    std::vector<std::string> left_alone;   ///< keys whose values are not the agent's
  };
  /// What is to be written so that `is` becomes what holds.
  writes difference(const guest_states& guests, const mirror& is) const;

  /// Drops the state of guests that no longer exist and whose keys have been removed.
  void forget(const guest_states& guests, const mirror& is);

private:
  struct placement {
    bool here = false;
    clock::time_point at;
  };
  void add_present(const guest_states& guests, const mirror& is, writes& to) const;
  void add_placed(const guest_states& guests, const mirror& is, writes& to) const;

  const keys& names_;
  const std::string id_;
  const clock::duration placement_age_;
  std::map<std::string, placement, std::less<>> placements_;
  std::set<std::string, std::less<>> had_; ///< guests that were here and may have left keys
};

} // namespace mistify::actors::cluster
