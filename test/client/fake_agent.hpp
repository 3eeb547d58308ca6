#pragma once

#include "test/system/sockets.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mistify::test {

/// Something that listens on loopback and answers each request as the test says: it need not be an agent. One connection
/// at a time, one request a connection.
class fake_agent {
public:
  /// Gets the bytes of a request and the number of requests before it; sends what it likes to `fd`.
  using script = std::function<void(const std::string& request, std::size_t before, int fd)>;
  explicit fake_agent(script does);
  ~fake_agent();

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const noexcept { return port_; }
  std::vector<std::string> requests() const;

private:
  void serve();

  std::uint16_t port_ = 0;
  descriptor listening_;
  script does_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// A header's value in the bytes of a request; "" where it is absent.
std::string header_in(const std::string& request, const std::string& name);

/// A whole answer.
std::string answer_text(const std::string& body, const std::string& status = "200 OK", const std::string& headers = "");

} // namespace mistify::test
