#pragma once

#include "rpc/client/client.hpp"
#include "rpc/kit/server.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace mistify::test {

/// Calls a sub-agent's server as the agent does.
class caller {
public:
  explicit caller(rpc::server& s) : client_{at(s)} { s.start(); }

  /// Throws `failure` with the sub-agent's error text.
  std::string operator()(std::string_view method, std::string_view params) {
    return client_.call(method, params, std::chrono::seconds{5}, {}).root().text();
  }

  static rpc::endpoint at(const rpc::server& s) {
    rpc::endpoint to;
    to.port = s.port();
    return to;
  }

private:
  rpc::client client_;
};

/// Returns all bytes of a stream that a sub-agent's server sends from `path`. Throws `failure` where it refuses.
inline std::string download_from(const rpc::server& s, const std::string& path, std::string_view request) {
  auto to = caller::at(s);
  to.path = path;
  rpc::client c{to};
  std::string data;
  const auto end = c.download(request, std::chrono::seconds{5}, {},
                              {[](std::int64_t) {},
                               [&](std::string_view piece) {
                                 data += piece;
                                 return true;
                               }});
  REQUIRE(end == rpc::download_end::complete);
  return data;
}

} // namespace mistify::test
