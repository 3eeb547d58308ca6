#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mistify::test {

/// Time that anything a test waits for may take. Far above what it takes: it only bounds a test that fails.
inline constexpr std::chrono::seconds patience{20};

/// Asks `done` every few milliseconds until it is true; false when `limit` is over first.
bool eventually(const std::function<bool()>& done, std::chrono::milliseconds limit = patience);

/// A file descriptor that closes itself.
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

/// A socket that listens on a free port of the loopback interface; `port` is set to it.
descriptor listen_on_loopback(std::uint16_t& port);

/// A port that nobody listens on at the moment.
std::uint16_t free_port();

/// Writes everything; false once the other end has gone.
bool send_all(int fd, std::string_view bytes);

/// Appends what can be read, waiting for at most `limit`; false at the end, on an error or when nothing came.
bool receive_some(int fd, std::string& into, std::chrono::milliseconds limit = patience);

} // namespace mistify::test
