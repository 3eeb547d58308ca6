#include "http/server/poller_set.hpp"

namespace mistify::http {

poller_set::poller_set(std::size_t size) {
  while (pollers_.size() < size)
    pollers_.push_back(std::make_unique<poller>());
}

void poller_set::quit() {
  for (const auto& one : pollers_)
    one->quit();
}

void poller_set::stop_answers() {
  for (const auto& one : pollers_)
    one->answers().stop();
}

} // namespace mistify::http
