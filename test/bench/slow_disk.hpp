#pragma once

#include <chrono>

namespace mistify::bench {

/// What a sync takes longer on the slow disk.
inline constexpr std::chrono::milliseconds slow_sync{1};

} // namespace mistify::bench
