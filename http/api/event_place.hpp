#pragma once

#include <cstdint>
#include <string>

namespace mistify::http {

/// Where a reader of events is: behind that event. Without an epoch it is one of whatever history the log has now.
struct event_place {
  std::int64_t id = 0;
  std::string epoch = {};
};

} // namespace mistify::http
