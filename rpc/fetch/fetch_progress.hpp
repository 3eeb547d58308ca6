#pragma once

#include "rpc/model/model.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace mistify::fetching {

/// How far a fetch is. Written by one thread, read by any.
class fetch_progress {
public:
  void receive(std::int64_t bytes, std::int64_t total) noexcept;
  /// Until `begin` the fetch waits for its turn, and receives nothing.
  void wait() noexcept { waiting_ = true; }
  void begin() noexcept;
  void convert() noexcept { converting_ = true; }
  /// What people should know of the fetch besides; the last one counts.
  void note(const std::string& text);

  std::int64_t total() const noexcept { return total_; } ///< bytes; -1: not known
  /// For people: "waiting"; "fetching: 45 of 100 MB, 12.3 MB/s"; "converting"; with the note behind.
  std::string text() const;
  /// For programs: bytes, and of how many if that is known. Empty until the fetch has begun.
  rpc::job_progress figures() const;

private:
  std::string numbers() const;

  std::atomic<std::int64_t> bytes_ = 0, total_ = -1;
  std::atomic<bool> waiting_ = false, converting_ = false;
  std::atomic<std::chrono::steady_clock::time_point> begin_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::string note_;
};

} // namespace mistify::fetching
