#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mistify::test {

/// The longest wait in a test. Far above any expected time: only a failing test reaches it.
inline constexpr std::chrono::seconds patience{20};

/// Calls `done` every few milliseconds until it returns true; returns false after `limit`.
bool eventually(const std::function<bool()>& done, std::chrono::milliseconds limit = patience);

/// Owns a file descriptor.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int fd) : fd_{fd} {}
  descriptor(descriptor&& other) noexcept : fd_{other.fd_.exchange(-1)} {}
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor() { close(); }

  int get() const noexcept { return fd_; }
  void close() noexcept;

private:
  std::atomic<int> fd_ = -1;
};

/// Opens a socket that listens on a free loopback port and sets `port` to it.
descriptor listen_on_loopback(std::uint16_t& port);

/// Returns a port on which no socket listens at the moment.
std::uint16_t free_port();

/// Writes everything; returns false if the other end has disconnected.
bool send_all(int fd, std::string_view bytes);

/// Appends available bytes, waiting at most `limit`; returns false at the end, on an error or after a time-out.
bool receive_some(int fd, std::string& into, std::chrono::milliseconds limit = patience);

} // namespace mistify::test
