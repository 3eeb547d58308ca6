#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mistify::rpc::etcd {

struct session_settings {
  std::string ca = {}; ///< file of certificates for https; empty: the system's
  std::chrono::milliseconds connect_timeout{2'000};
  std::chrono::milliseconds timeout{5'000};        ///< of one request, from begin to end
  std::size_t max_answer = std::size_t{32} << 20U; ///< bytes of an answer, or of one line of a stream
};

struct http_request {
  std::string method, url;
  std::string body;
  std::vector<std::string> headers; ///< "Name: value"
};

struct http_reply {
  long status = 0;
  std::string body;
  std::int64_t index = 0; ///< the header X-Etcd-Index; 0 if absent
};

/// HTTP/1.1 requests and open-ended responses over libcurl, with kept connections. All of it runs on the thread that
/// calls; only `wake` and `cancel` may be called from others. Certificates and names are verified; no proxy, no
/// redirect, no other protocol.
class http_session {
public:
  explicit http_session(session_settings settings);
  ~http_session();

  /// Sends a request and waits for the whole response, of any status. Open streams are read meanwhile. Throws
  /// `failure{unavailable}` without a connection, `deadline_exceeded`, `too_large`, `cancelled` after `cancel`.
  http_reply send(const http_request& what);

  /// Begins a response without end. Returns its number.
  std::uint64_t open_stream(const http_request& what);
  void close_stream(std::uint64_t number);

  /// What a stream has received since the last call, and whether it is over.
  struct received {
    std::string bytes;
    bool ended = false;
    long status = 0;
    std::int64_t index = 0;
    std::string why; ///< of an end: for people; empty for a clean one
  };
  received take(std::uint64_t number);

  /// Waits until a stream received something or ended, `wake` was called, or the time is over.
  void wait(std::chrono::milliseconds longest);

  /// Ends `wait`, the present one or the next. Thread-safe.
  void wake() noexcept;
  /// Ends a `send` that waits, and refuses later ones until `cancel(false)`. Thread-safe.
  void cancel(bool now = true) noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::rpc::etcd
