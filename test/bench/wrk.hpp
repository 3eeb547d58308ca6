#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace mistify::bench {

struct wrk_figures {
  double per_second = 0;
  double p99_us = 0;
};

/// What wrk loads a server with: 16 connections, two threads.
struct wrk_load {
  std::uint16_t port = 0;
  std::string path;
  std::chrono::seconds length{1};
  std::string script = {}; ///< Lua that makes the requests; empty: `path`, again and again
};

/// Runs it. Throws std::runtime_error where not every answer was a 2xx: a server that refuses is fast. `folder` takes
/// the output.
wrk_figures run_wrk(const wrk_load& load, const std::string& folder);

} // namespace mistify::bench
