#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace mistify::bench {

struct wrk_figures {
  double per_second = 0;
  double p99_us = 0;
  double requests = 0; ///< that were answered
};

/// wrk's load on a server: 16 connections, two threads.
struct wrk_load {
  std::uint16_t port = 0;
  std::string path;
  std::chrono::seconds length{1};
  bool tls = false;
  std::string script = {}; ///< Lua that makes the requests; empty: `path` repeatedly
};

/// Runs wrk. Throws std::runtime_error unless every response was a 2xx, because errors are fast. Writes the output to
/// `folder`.
wrk_figures run_wrk(const wrk_load& load, const std::string& folder);

} // namespace mistify::bench
