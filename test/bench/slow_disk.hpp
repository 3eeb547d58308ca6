#pragma once

#include <chrono>

namespace mistify::bench {

/// How much longer a sync takes on the slow disk.
inline constexpr std::chrono::milliseconds slow_sync{1};

} // namespace mistify::bench
