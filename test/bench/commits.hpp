#pragma once

#include <chrono>
#include <string>

namespace mistify::bench {

/// How many commits of a single row a second the disk can take: SQLite as the agent uses it (WAL, synchronous=FULL,
/// pages and checkpoints as they come), one after the other, in a database of its own in `folder`.
double commits_per_second(const std::string& folder, std::chrono::milliseconds length);

} // namespace mistify::bench
