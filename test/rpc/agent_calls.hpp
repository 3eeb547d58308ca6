#pragma once

#include "rpc/client/client.hpp"
#include "rpc/kit/server.hpp"

#include <chrono>

namespace mistify::test {

/// Calls of a sub-agent's server as the agent makes them.
class caller {
public:
  explicit caller(rpc::server& s) : client_{at(s)} { s.start(); }

  /// Throws `failure` with the sub-agent's text.
  std::string operator()(std::string_view method, std::string_view params) {
    return client_.call(method, params, std::chrono::seconds{5}, {});
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
