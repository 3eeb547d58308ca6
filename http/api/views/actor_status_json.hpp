#pragma once

#include "actors/inspect/status.hpp"
#include "rpc/model/model.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

/// What actors tell of themselves, as JSON. Every field is always there, so that tools can rely on it.
namespace mistify::http {

/// Which actors somebody wants to see.
struct status_filter {
  std::string kind, guest; ///< empty: any
  std::string search;      ///< a text in any of their names, jobs, methods or errors, in either case
  bool idle = true;        ///< those with nothing to do, too
  bool only_stuck = false;
  std::size_t limit = 1000;
  std::chrono::milliseconds patience{std::chrono::seconds{30}}; ///< who is at one thing for longer is stuck
};

/// `{"time","patience","totals":{…},"found":N,"actors":[…]}`: totals are of all, `found` of those that fit, before the
/// limit. The order is kept. `now` is the time of the look.
std::string encode_statuses(const std::vector<actors::actor_status>& all, const status_filter& wanted,
                            rpc::timestamp now);

/// One of them, with its history.
std::string encode_status(const actors::actor_status& one, std::chrono::milliseconds patience, rpc::timestamp now);

} // namespace mistify::http
