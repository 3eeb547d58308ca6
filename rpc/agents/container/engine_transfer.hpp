#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::container {

/// The engine refused, or gave no usable answer. `what()` is for people: the engine's own reason where there is one.
class engine_error : public std::runtime_error {
public:
  explicit engine_error(const std::string& what, int status = 0) : runtime_error{what}, status_{status} {}

  int status() const noexcept { return status_; } ///< of HTTP; 0: there was no answer, or it was no HTTP

private:
  int status_;
};

/// Nobody answers at the engine's socket.
class engine_away : public engine_error {
public:
  using engine_error::engine_error;
};

/// One request to the engine, and what bounds it.
struct engine_request {
  std::string method = "GET";
  std::string path; ///< with the query, escaped
  std::string body = {};
  std::string content_type = "application/json";

  /// In place of `body`: writes up to `most` bytes to `to` and returns how many. What it throws leaves `run`.
  std::function<std::size_t(char* to, std::size_t most)> upload = {};
  std::uint64_t upload_size = 0;

  std::chrono::milliseconds time{30'000}; ///< for the whole exchange; 0: without end
  std::size_t most = 16 * 1024 * 1024;    ///< bytes of an answer that is collected

  /// Called once the head of an answer of status 2xx is there.
  std::function<void()> opened = {};
  /// In place of collecting an answer of status 2xx. False ends the exchange, which is then complete.
  std::function<bool(std::string_view bytes)> data = {};
  /// Asked about ten times a second; true ends the exchange with `engine_error`.
  std::function<bool()> stop = {};
};

struct engine_answer {
  int status = 0;
  std::string body = {};
};

/// HTTP over the engine's unix socket, on connections that are kept. Thread-safe.
class engine_transfer {
public:
  explicit engine_transfer(std::string socket);
  ~engine_transfer();
  engine_transfer(const engine_transfer&) = delete;
  engine_transfer& operator=(const engine_transfer&) = delete;

  /// Returns whatever the status is. Throws `engine_away`, or `engine_error` for an answer that comes too late, is too large or
  /// is no HTTP.
  engine_answer run(const engine_request& request);

  const std::string& socket() const noexcept { return socket_; }

private:
  struct link;

  std::unique_ptr<link> take();
  void give_back(std::unique_ptr<link> used);

  const std::string socket_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<link>> idle_;
};

} // namespace mistify::agents::container
