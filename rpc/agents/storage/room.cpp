#include "rpc/agents/storage/room.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::agents::storage {

namespace {

constexpr std::uint64_t most_reserved = std::uint64_t{1} << 30;

std::uint64_t less(std::uint64_t a, std::uint64_t b) noexcept {
  return a - std::min(a, b);
}

} // namespace

room::claim::~claim() {
  if (!of_)
    return;
  const std::lock_guard lock{of_->mutex_};
  of_->claimed_ -= bytes_;
  ++of_->given_back_;
}

std::uint64_t room::share_of(std::uint64_t promised) const noexcept {
  return promised / 100 * settings_.promised_percent + promised % 100 * settings_.promised_percent / 100;
}

/// Without the lock. A claim that was given back meanwhile is in neither figure if its disk came to be behind the measure.
room_facts room::measure(std::unique_lock<std::mutex>& held) const {
  constexpr int tries = 3;
  for (int i = 0; i < tries; ++i) {
    const auto before = given_back_;
    held.unlock();
    const auto facts = measure_();
    held.lock();
    if (given_back_ == before)
      return facts;
  }
  return measure_();
}

std::uint64_t room::left_now(std::unique_lock<std::mutex>& held) const {
  const auto facts = measure(held);
  return less(less(less(facts.free, reserve_of(facts)), share_of(facts.promised)), claimed_);
}

std::uint64_t room::reserve_of(const room_facts& facts) const noexcept {
  return settings_.reserve.value_or(std::min(facts.total / 10, most_reserved));
}

std::uint64_t room::reserve() const {
  return reserve_of(measure_());
}

std::uint64_t room::left() const {
  std::unique_lock lock{mutex_};
  return left_now(lock);
}

room::claim room::take(std::uint64_t bytes) {
  std::unique_lock lock{mutex_};
  if (bytes > left_now(lock))
    throw std::runtime_error{"no space left on device"};
  claimed_ += bytes;
  return {*this, bytes};
}

room::claim room::promise(std::uint64_t bytes, std::uint64_t at_once) {
  return take(std::max(share_of(bytes), at_once));
}

} // namespace mistify::agents::storage
