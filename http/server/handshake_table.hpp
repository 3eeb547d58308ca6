#pragma once

#include "http/server/poller.hpp"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace mistify::http {

/// The connections whose TLS handshake has not finished, up to a bound. Thread-safe.
class handshake_table {
public:
  explicit handshake_table(std::size_t most) noexcept : most_{most} {}

  /// Adds a connection. Beyond the bound, forgets and returns the one that has to be closed: the oldest of the address
  /// that has the most, so that a flood from one address costs no other address its place.
  std::optional<watch_key> begin(watch_key who, const std::string& address);

  void end(watch_key who);
  std::size_t size() const;

private:
  struct entry {
    watch_key who;
    std::string address;
  };
  std::vector<entry>::iterator oldest_of_most();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::vector<entry> entries_; ///< oldest first
};

} // namespace mistify::http
