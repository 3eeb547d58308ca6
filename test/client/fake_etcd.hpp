#pragma once

#include "fake_agent.hpp"

#include <map>
#include <string>

namespace mistify::test {

/// An etcd that answers ranges of its v3 API, from keys that the test gives.
class fake_etcd {
public:
  using keys = std::map<std::string, std::string>;
  explicit fake_etcd(keys all);

  std::string url() const { return server_.url(); }
  std::vector<std::string> requests() const { return server_.requests(); }

private:
  std::string answer(const std::string& request) const;

  const keys all_;
  fake_agent server_;
};

} // namespace mistify::test
