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

/// Bounds the bytes of answers that wait for slow clients. Bytes shared by several answers count once. Thread-safe;
/// only connections whose client is not ready take its lock.
class waiting_answers {
public:
  explicit waiting_answers(std::size_t most) noexcept : most_{most} {}

  /// The waiting bytes of a connection.
  struct load {
    std::size_t own = 0;                                 ///< bytes that no other connection shares
    std::shared_ptr<const std::string> shared = nullptr; ///< possibly shared with others; kept until `release`
    std::uint64_t taken = 0;                             ///< bytes that the client has read so far
  };

  /// Records the bytes that wait for `who`. Returns the connections to close to keep the bound, slowest clients
  /// first, and stops counting them. A connection that exceeds the bound alone is left to its pace.
  std::vector<watch_key> hold(watch_key who, const load& what, tick now);

  /// Another bound from now on; counts when bytes are held next.
  void set_most(std::size_t most);

  /// No bytes of `who` wait any more.
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

  mutable std::mutex mutex_; // guards the following members
  std::size_t most_;
  std::size_t bytes_ = 0;
  entries entries_; // by generation, which no other open connection has
  std::unordered_map<std::shared_ptr<const std::string>, std::size_t> holders_; // of shared bytes
};

} // namespace mistify::http
