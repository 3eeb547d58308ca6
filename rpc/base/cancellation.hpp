#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace mistify::rpc {

/// Cancels one blocking operation from another thread. Copies share the state; every member is thread-safe.
class cancellation {
public:
  cancellation();

  /// Cancels the current operation, or the next one when it begins. May be called repeatedly.
  void cancel() const;
  bool cancelled() const noexcept;

  /// While the guard lives, `cancel` runs `action` once, on the cancelling thread; the constructor runs it if
  /// `cancel` was called before. The destructor waits for a running `action`.
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
