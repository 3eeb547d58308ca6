#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace mistify::agents::storage {

/// How much of a store's space may be given away. Bytes.
struct room_settings {
  std::optional<std::uint64_t> reserve = {}; ///< stays free whatever is asked for; by default a tenth, at most 1 GiB
  unsigned promised_percent = 100;           ///< of what disks may still grow by, that is kept free for them
};

/// What is left of a file system or pool, by the backend's own measure. Bytes.
struct room_facts {
  std::uint64_t total = 0, free = 0;
  std::uint64_t promised = 0; ///< what all disks together may still grow by
};

/// The space that may still be given away: what is free, less the reserve, less what disks were promised, less what calls
/// that run now have claimed. Thread-safe; `measure`, which may read the heads of all disks, runs on several threads at a time.
class room {
public:
  explicit room(std::function<room_facts()> measure) : measure_{std::move(measure)} {}

  /// Before any other call.
  void set(const room_settings& s) { settings_ = s; }

  /// Bytes of a disk that is being made; given back when it is destroyed.
  class claim {
  public:
    claim(room& of, std::uint64_t bytes) : of_{&of}, bytes_{bytes} {}
    claim(claim&& other) noexcept : of_{std::exchange(other.of_, nullptr)}, bytes_{other.bytes_} {}
    claim& operator=(claim&&) = delete;
    ~claim();

  private:
    room* of_;
    std::uint64_t bytes_;
  };

  std::uint64_t left() const;
  std::uint64_t reserve() const; ///< bytes that stay free
  /// Throws std::runtime_error (`no space left on device`) where not so much is left.
  claim take(std::uint64_t bytes);
  /// The same, of bytes that a disk may grow by; `at_once` of them are written now.
  claim promise(std::uint64_t bytes, std::uint64_t at_once = 0);

private:
  room_facts measure(std::unique_lock<std::mutex>& held) const;
  std::uint64_t left_now(std::unique_lock<std::mutex>& held) const;
  std::uint64_t reserve_of(const room_facts& facts) const noexcept;
  std::uint64_t share_of(std::uint64_t promised) const noexcept;

  std::function<room_facts()> measure_;
  room_settings settings_;
  mutable std::mutex mutex_;
  std::uint64_t claimed_ = 0;
  std::uint64_t given_back_ = 0; // claims so far: what they were for may be on disk since
};

} // namespace mistify::agents::storage
