#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace mistify::http {

/// Bounds how many of something, such as connections, each key holds at a time. A key is a client's address or
/// another name of a client. Thread-safe; outlives its places.
class share_table {
  using rows = std::unordered_map<std::string, std::size_t>;

public:
  static constexpr auto no_bound = std::numeric_limits<std::size_t>::max();

  /// A held place. The destructor releases it.
  class place {
  public:
    place(place&& other) noexcept : table_{std::exchange(other.table_, nullptr)}, row_{other.row_} {}
    place& operator=(place&&) = delete;
    ~place() {
      if (table_)
        table_->give_back(row_);
    }

  private:
    friend class share_table;
    place(share_table* table, rows::value_type* row) noexcept : table_{table}, row_{row} {}

    share_table* table_; // null: not counted
    rows::value_type* row_;
  };

  /// With `no_bound` nothing is counted and no lock is taken.
  explicit share_table(std::size_t share) noexcept : share_{share} {}

  /// Another share from now on. Held places stay held.
  void set_share(std::size_t share) noexcept { share_ = share; }
  std::size_t share() const noexcept { return share_; }

  /// Null if the key already holds its whole share.
  std::optional<place> take(const std::string& key);

  /// Returns how many places the key holds now.
  std::size_t held(const std::string& key) const;

private:
  void give_back(rows::value_type* row);

  std::atomic<std::size_t> share_;
  mutable std::mutex mutex_;
  rows rows_; // only keys that hold places
};

/// Bounds the requests of each key per second: a token bucket with the size of one second. Thread-safe.
class request_rates {
public:
  using clock = std::chrono::steady_clock;

  /// The maximum number of remembered keys; beyond it, all buckets are reset.
  static constexpr std::size_t most_keys = 65'536;

  /// With 0 every request is admitted and no lock is taken.
  explicit request_rates(std::size_t per_second) noexcept : per_second_{per_second} {}

  bool admit(const std::string& key, clock::time_point now);

  /// Another rate from now on.
  void set_rate(std::size_t per_second) noexcept { per_second_ = per_second; }

  bool off() const noexcept { return per_second_ == 0; }
  std::size_t per_second() const noexcept { return per_second_; }

private:
  void forget_full(clock::time_point now);

  std::atomic<std::size_t> per_second_;
  std::mutex mutex_;
  std::unordered_map<std::string, clock::time_point> full_at_; // when the key's bucket is full again
  std::size_t look_at_ = 1024;                                 // number of keys at which full buckets are removed
};

} // namespace mistify::http
