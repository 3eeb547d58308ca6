#include "actors/service/places.hpp"

#include <utility>

namespace mistify::actors {

// -- one claim ---------------------------------------------------------------------------------------------------

place_claim::~place_claim() {
  if (const auto wake = end())
    wake();
}

std::function<void()> place_claim::end() {
  const std::lock_guard lock{of_->mutex_};
  if (std::exchange(over_, true))
    return nullptr;
  return of_->end_claim(std::exchange(holds_, false));
}

std::function<void()> drop(place_ptr claim) {
  return claim.use_count() == 1 ? claim->end() : nullptr; // no other thread can copy the only one
}

bool place_claim::holds() const {
  const std::lock_guard lock{of_->mutex_};
  return holds_;
}

bool place_claim::take() {
  const std::lock_guard lock{of_->mutex_};
  if (holds_)
    return true;
  if (of_->held_ >= of_->width_)
    return false;
  holds_ = true;
  --of_->waiting_;
  of_->shown_.set(++of_->held_);
  return true;
}

bool place_claim::keep() {
  const std::lock_guard lock{of_->mutex_};
  return holds_ && of_->waiting_ == 0 && of_->held_ <= of_->width_;
}

// -- all of them -------------------------------------------------------------------------------------------------

place_ptr places::claim() {
  const std::lock_guard lock{mutex_};
  return claim_unless(false);
}

place_ptr places::claim_for_job() {
  const std::lock_guard lock{mutex_};
  return claim_unless(job_holds_ > 0);
}

place_ptr places::claim_unless(bool jobs_wait) {
  const bool holds = !jobs_wait && waiting_ == 0 && held_ < width_;
  auto made = std::make_shared<place_claim>(shared_from_this(), holds);
  if (holds)
    shown_.set(++held_);
  else
    ++waiting_;
  return made;
}

place_ptr places::claim_free() {
  const std::lock_guard lock{mutex_};
  return waiting_ > 0 || held_ >= width_ ? nullptr : claim_unless(false);
}

place_ptr places::claim_spare() {
  const std::lock_guard lock{mutex_};
  if (waiting_ > 0 || held_ >= width_ || (held_ + 1 == width_ && width_ > 1))
    return nullptr;
  return claim_unless(false);
}

std::function<void()> places::end_claim(bool holds) {
  if (!holds) {
    --waiting_;
    return nullptr;
  }
  shown_.set(--held_);
  return wake_up();
}

job_hold places::hold_jobs() {
  const std::lock_guard lock{mutex_};
  ++job_holds_;
  return {static_cast<const void*>(this), [held = shared_from_this()](const void*) { held->release_jobs(); }};
}

void places::release_jobs() {
  std::unique_lock lock{mutex_};
  --job_holds_;
  const auto wake = wake_up();
  lock.unlock();
  if (wake)
    wake();
}

bool places::holds_jobs() const {
  const std::lock_guard lock{mutex_};
  return job_holds_ > 0;
}

void places::on_free(std::function<void()> wake) {
  const std::lock_guard lock{mutex_};
  wake_ = std::move(wake);
  waking_ = false;
}

void places::woken() {
  const std::lock_guard lock{mutex_};
  waking_ = false;
}

/// What to call once the mutex is free; empty if no claim waits or the wake-up is on its way.
std::function<void()> places::wake_up() {
  if (waiting_ == 0 || !wake_ || std::exchange(waking_, true))
    return nullptr;
  return wake_;
}

void places::set_width(std::size_t width) {
  std::unique_lock lock{mutex_};
  width_ = width;
  const auto wake = wake_up();
  lock.unlock();
  if (wake)
    wake();
}

std::size_t places::width() const {
  const std::lock_guard lock{mutex_};
  return width_;
}

std::size_t places::held() const {
  const std::lock_guard lock{mutex_};
  return held_;
}

} // namespace mistify::actors
