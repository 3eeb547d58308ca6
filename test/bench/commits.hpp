#pragma once

#include "rpc/base/unique_fd.hpp"
#include "store/sqlite.hpp"

#include <chrono>
#include <string>
#include <thread>

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

/// A thread with such a database that commits a row for each request that it reads from a socket, and answers then: the
/// least that a server does for a client.
class asked_rows {
public:
  explicit asked_rows(const std::string& file);
  ~asked_rows();
  asked_rows(const asked_rows&) = delete;
  asked_rows& operator=(const asked_rows&) = delete;

  void ask_for_one();

private:
  void serve();

  single_rows rows_;
  rpc::unique_fd client_, server_;
  std::thread thread_; // last: it uses the others
};

/// Returns the rate of sequential single-row commits per second, in a database of its own in `folder`; each commit is
/// delayed by `longer`.
double commits_per_second(const std::string& folder, std::chrono::milliseconds length,
                          std::chrono::milliseconds longer = {});

} // namespace mistify::bench
