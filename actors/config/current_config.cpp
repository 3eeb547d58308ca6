#include "actors/config/current_config.hpp"

#include <utility>

namespace mistify::actors {

current_config::current_config(config at_start) : now_{std::make_shared<const config>(std::move(at_start))} {}

std::shared_ptr<const config> current_config::get() const {
  const std::lock_guard lock{mutex_};
  return now_;
}

/// The config before is destroyed outside of the lock.
void current_config::replace(std::shared_ptr<const config> next) {
  const std::lock_guard lock{mutex_};
  now_.swap(next);
}

} // namespace mistify::actors
