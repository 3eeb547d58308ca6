#pragma once

#include <cstdint>
#include <string>

namespace mistify::http {

/// A reader's position in the event log: after the event `id`. Without an epoch, in the current one.
struct event_place {
  std::int64_t id = 0;
  std::string epoch = {};
};

} // namespace mistify::http
