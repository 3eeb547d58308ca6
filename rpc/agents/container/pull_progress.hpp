#pragma once

#include "rpc/base/json.hpp"
#include "rpc/fetch/fetch_progress.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace mistify::agents::container {

/// Adds up what an engine reports of the layers that it pulls: {"id","progressDetail":{"current","total"}}. Belongs to one
/// thread. Layers beyond the 200th do not count.
class pull_progress {
public:
  explicit pull_progress(fetching::fetch_progress& to) : to_{to} {}

  void take(const rpc::json::node& line);

private:
  struct layer {
    std::int64_t current = 0, total = 0;
  };

  fetching::fetch_progress& to_;
  std::map<std::string, layer> layers_;
};

} // namespace mistify::agents::container
