#pragma once

#include "rpc/net/tcp.hpp"

#include <atomic>
#include <functional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace mistify::test {

/// The server side of one connection, scripted byte by byte.
class peer {
public:
  explicit peer(int fd) : fd_{fd} {}

  /// Reads one request with its body; empty if the client closed the connection instead.
  std::string request() {
    std::string text;
    while (text.find("\r\n\r\n") == text.npos || text.size() < text.find("\r\n\r\n") + 4 + length(text)) {
      char buffer[4096];
      const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0)
        return text;
      text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
  }

  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  /// Waits until the client closes; sends nothing.
  void hang() const {
    char byte;
    while (::recv(fd_, &byte, 1, 0) > 0) {
    }
  }

  /// Resets the connection instead of closing it.
  void reset() const {
    const linger off{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &off, sizeof off);
  }

private:
  static std::size_t length(const std::string& text) {
    const auto at = text.find("Content-Length: ");
    return at == text.npos ? 0 : std::stoul(text.substr(at + 16, 20));
  }
  int fd_;
};

/// A sub-agent on raw sockets that runs `script` on every connection, one after the other.
class scripted_agent {
public:
  explicit scripted_agent(std::function<void(peer&)> script) : script_{std::move(script)} {
    thread_ = std::thread{[this] { run(); }};
  }

  ~scripted_agent() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    ::shutdown(current_.load(), SHUT_RDWR);
    thread_.join();
  }

  std::uint16_t port() const { return rpc::port_of(listener_); }
  int connections() const { return connections_; }

private:
  void run() {
    for (;;) {
      rpc::wait_for(listener_.get(), POLLIN, rpc::never);
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0)
        return;
      current_ = fd;
      ++connections_;
      peer p{fd};
      script_(p);
      current_ = -1;
      ::close(fd);
    }
  }

  rpc::unique_fd listener_ = rpc::tcp_listen(0);
  std::atomic<int> current_{-1}, connections_{0};
  std::function<void(peer&)> script_;
  std::thread thread_;
};

inline std::string http(std::string_view body, std::string_view status = "200 OK") {
  return "HTTP/1.1 " + std::string{status} +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}

/// Returns a port on which no socket listened a moment ago.
inline std::uint16_t free_port() {
  return rpc::port_of(rpc::tcp_listen(0));
}

} // namespace mistify::test
