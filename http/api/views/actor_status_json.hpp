#pragma once

#include "actors/inspect/status.hpp"
#include "rpc/model/model.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

/// The status of actors as JSON. Every field is always present, so that tools can rely on it.
namespace mistify::http {

/// Selects actors to show.
struct status_filter {
  std::string kind, guest; ///< empty: any
  std::string search;      ///< a text in any of their names, jobs, methods or errors, ignoring case
  bool idle = true;        ///< include idle actors
  bool only_stuck = false;
  std::size_t limit = 1000;
  std::chrono::milliseconds patience{std::chrono::seconds{30}}; ///< actors with older work are stuck
};

/// `{"time","patience","totals":{…},"found":N,"actors":[…]}`: `totals` counts all actors, `found` the matching ones
/// before the limit. Keeps the order. `now` is the time of the look.
std::string encode_statuses(const std::vector<actors::actor_status>& all, const status_filter& wanted,
                            rpc::timestamp now);

/// One actor, with its history.
std::string encode_status(const actors::actor_status& one, std::chrono::milliseconds patience, rpc::timestamp now);

} // namespace mistify::http
