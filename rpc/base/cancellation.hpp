#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace mistify::rpc {

/// A switch that drops one blocking operation from another thread. Copies share the switch; every member is
/// thread-safe.
class cancellation {
public:
  cancellation();

  /// Drops the operation that is under way with this switch, now or when it begins. May be called often.
  void cancel() const;
  bool cancelled() const noexcept;

  /// While the guard lives, `action` runs (once, on the cancelling thread) when `cancel` is called; at once if it was
  /// called before. The guard's destructor waits for an `action` that is running.
  class guard {
  public:
    guard(guard&&) noexcept;
    guard& operator=(guard&&) = delete;
    ~guard();

  private:
    friend class cancellation;
    struct shared;
    guard(std::shared_ptr<shared>, std::uint64_t id);
    std::shared_ptr<shared> state_;
    std::uint64_t id_;
  };
  [[nodiscard]] guard on_cancel(std::function<void()> action) const;

private:
  std::shared_ptr<guard::shared> state_;
};

} // namespace mistify::rpc
