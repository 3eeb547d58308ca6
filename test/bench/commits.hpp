#pragma once

#include "store/sqlite.hpp"

#include <chrono>
#include <string>

namespace mistify::bench {

/// A database with one row per commit: SQLite with the agent's settings (WAL, synchronous=FULL) and default pages and
/// checkpoints.
class single_rows {
public:
  explicit single_rows(const std::string& file);
  void commit_one();

private:
  store::database db_;
  store::statement insert_;
};

/// Returns the rate of sequential single-row commits per second, in a database of its own in `folder`; each commit is
/// delayed by `longer`.
double commits_per_second(const std::string& folder, std::chrono::milliseconds length,
                          std::chrono::milliseconds longer = {});

} // namespace mistify::bench
