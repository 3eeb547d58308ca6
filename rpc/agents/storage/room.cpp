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
}

std::uint64_t room::share_of(std::uint64_t promised) const noexcept {
  return promised / 100 * settings_.promised_percent + promised % 100 * settings_.promised_percent / 100;
}

std::uint64_t room::left_now() const {
  const auto facts = measure_();
  return less(less(less(facts.free, reserve_of(facts)), share_of(facts.promised)), claimed_);
}

std::uint64_t room::reserve_of(const room_facts& facts) const noexcept {
  return settings_.reserve.value_or(std::min(facts.total / 10, most_reserved));
}

std::uint64_t room::reserve() const {
  return reserve_of(measure_());
}

std::uint64_t room::left() const {
  const std::lock_guard lock{mutex_};
  return left_now();
}

room::claim room::take(std::uint64_t bytes) {
  const std::lock_guard lock{mutex_};
  if (bytes > left_now())
    throw std::runtime_error{"no space left on device"};
  claimed_ += bytes;
  return {*this, bytes};
}

room::claim room::promise(std::uint64_t bytes, std::uint64_t at_once) {
  return take(std::max(share_of(bytes), at_once));
}

} // namespace mistify::agents::storage
