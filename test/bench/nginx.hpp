#pragma once

#include "child.hpp"
#include "lab.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::bench {

/// One `location` of nginx's config: the path it is for, and what stands between its braces.
struct nginx_location {
  std::string path, text;
};

/// What a location does. nginx answers a fixed text by itself.
std::string nginx_return(std::string_view body);
std::string nginx_file(const std::string& file);
/// A POST of `body` to `path` of the sub-agent, over kept connections.
std::string nginx_call(std::string_view path, std::string_view body);
/// A download of so many bytes from the sub-agent.
std::string nginx_download(std::size_t bytes);

/// nginx with two workers on loopback, tuned as for a benchmark: no access log, connections without end. The destructor
/// ends it with its workers.
class nginx {
public:
  /// A certificate and its key, for a listener that speaks TLS 1.3.
  struct identity {
    std::string cert = {}, key = {};
  };

  nginx(const lab& in, std::uint16_t port, const std::vector<nginx_location>& serves, const identity& tls);
  nginx(const lab& in, std::uint16_t port, const std::vector<nginx_location>& serves);
  ~nginx();
  nginx(const nginx&) = delete;
  nginx& operator=(const nginx&) = delete;

  bool running() { return process_.running(); }
  /// Returns the CPU time used by the workers.
  std::chrono::nanoseconds cpu() const;

private:
  child process_;
};

} // namespace mistify::bench
