#pragma once

#include "http/server/poller.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace mistify::http {

/// The bytes of answers that wait for clients which do not take them as fast as they are made, up to a bound. Bytes that
/// several answers share count once. Thread-safe; only connections whose client is not ready take its lock.
class waiting_answers {
public:
  explicit waiting_answers(std::size_t most) noexcept : most_{most} {}

  /// What a connection holds for its client.
  struct load {
    std::size_t own = 0;                                 ///< bytes that no other connection has
    std::shared_ptr<const std::string> shared = nullptr; ///< others may hold it; kept until `release`
    std::uint64_t taken = 0;                             ///< bytes that the client has taken so far
  };

  /// Notes what `who` holds from now on. Returns the connections that have to be closed so that the bound is kept: those
  /// whose clients are the slowest. They count no more. One that holds too much alone is left to its pace.
  std::vector<watch_key> hold(watch_key who, const load& what, tick now);

  /// Nothing of `who` waits any more.
  void release(watch_key who);

  std::size_t bytes() const;

private:
  struct entry {
    watch_key who;
    load what;
    tick since = 0;
    std::uint64_t taken_before = 0;
  };
  using entries = std::unordered_map<std::uint32_t, entry>;

  void count(const load& what);
  void uncount(const load& what);
  void drop(entries::iterator which);
  std::size_t freed_by(const entry& one) const;
  entries::iterator slowest(tick now);

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  entries entries_; // by generation, which names a connection for ever
  std::unordered_map<std::shared_ptr<const std::string>, std::size_t> holders_; // of shared bytes
};

} // namespace mistify::http
