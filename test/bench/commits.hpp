#pragma once

#include "store/sqlite.hpp"

#include <chrono>
#include <string>

namespace mistify::bench {

/// A database that takes one row a commit: SQLite as the agent uses it (WAL, synchronous=FULL, pages and checkpoints as
/// they come).
class single_rows {
public:
  explicit single_rows(const std::string& file);
  void commit_one();

private:
  store::database db_;
  store::statement insert_;
};

/// How many commits of a single row a second the disk can take, one after the other, in a database of its own in
/// `folder`; each takes `longer` than it does.
double commits_per_second(const std::string& folder, std::chrono::milliseconds length,
                          std::chrono::milliseconds longer = {});

} // namespace mistify::bench
