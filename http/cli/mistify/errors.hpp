#pragma once

#include "http/cli/mistify/exit_status.hpp"
#include "http/client/failure.hpp"

#include <string>
#include <vector>

namespace mistify::cli {

/// The exit status of a failed call.
status status_of(const client::failure& e);

/// What to do next about it; "" where nothing is known.
std::string advice_for(const client::failure& e);

/// Collects the errors of several operations and prints them together, in at most three lines.
class error_list {
public:
  void add(status with, std::string why, std::string next = {});
  void add(const std::string& what, const client::failure& e);
  /// Prints them. Returns the exit status: the first one's; `done` where there is none.
  int finish() const;
  bool empty() const noexcept { return all_.empty(); }

private:
  struct entry {
    status with;
    std::string why, next;
  };
  std::vector<entry> all_;
};

} // namespace mistify::cli
