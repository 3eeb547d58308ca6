#pragma once

#include "actors/service/places.hpp"
#include "rpc/base/metrics.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace mistify::actors {

/// The places of each runner for calls that are answered at once. A runner shares them with calls that pass it by, so that
/// the bound holds for both. Thread-safe.
class info_places {
public:
  /// What is held is added to the gauge, which outlives this.
  explicit info_places(rpc::metrics::gauge& held) : held_{held} {}

  /// Returns the places of one runner and sets their number. They exist as long as a copy of the pointer does.
  std::shared_ptr<places> of(const std::string& runner, std::size_t width);

  /// How many of them are held.
  std::size_t held(const std::string& runner) const;

private:
  void forget_unused();

  rpc::metrics::gauge& held_;
  mutable std::mutex mutex_; // guards the following members
  std::unordered_map<std::string, std::weak_ptr<places>> rows_;
  std::size_t look_at_ = 64; // the number of rows at which expired ones are removed
};

} // namespace mistify::actors
