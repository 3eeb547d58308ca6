#pragma once

#include "rpc/client/client.hpp"
#include "rpc/kit/server.hpp"

#include <chrono>

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

} // namespace mistify::test
