#pragma once

#include "http/api/task.hpp"
#include "http/protocol/message.hpp"
#include "rpc/http1/door.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>

namespace mistify::http {

struct server_settings {
  std::size_t max_body = 1024 * 1024;            ///< bytes of a request body; more is 413
  std::size_t max_head = 64 * 1024;              ///< bytes of request line and headers; more is 431
  std::size_t max_connections = 4096;            ///< open at a time; the next gets 503 and is closed
  std::size_t max_buffered = 64 * 1024 * 1024;   ///< bytes of all requests in memory; the next gets 503
  std::size_t max_downloads = 64;                ///< running at a time; the next gets 503
  std::size_t max_live = 64;                     ///< answers without end at a time; the next gets 503
  std::size_t connections_of_one = SIZE_MAX;     ///< of one address; the next is closed
  std::size_t live_of_one = SIZE_MAX;            ///< answers without end of one address; the next gets 429
  std::size_t waiting_bytes = 256ull << 20U;     ///< of answers that wait for clients; the slowest client goes first
  std::size_t least_rate = 1024;                 ///< bytes a second that a client takes while some wait; 0: no bound
  std::chrono::milliseconds rate_window{30'000}; ///< over which `least_rate` is judged
  std::size_t workers = 4;                       ///< threads that read, run handlers and write; see leader_followers
  std::chrono::milliseconds request_timeout{10'000}; ///< from the first byte of a request to its last; then 408
  std::chrono::milliseconds idle_timeout{75'000};    ///< of a connection between two requests
  std::chrono::milliseconds write_timeout{30'000};   ///< of a client that does not read; then the connection closes
  /// From when a client that waits for its answer sends no more until it is asked whether it is still there.
  std::chrono::milliseconds half_closed_timeout{15'000};
  std::chrono::milliseconds heartbeat{15'000}; ///< of an answer without end that has nothing to say
  std::shared_ptr<const rpc::door> door;       ///< judges each request's Host; null: none is refused
};

/// Turns a request into an answer. Called on a worker; must not block it for long. Whatever it throws the server turns
/// into an answer through `error_answers`.
///
/// The coroutine may be resumed on any thread; the answer is then sent from that thread without blocking it. While it
/// waits, the connection holds no thread. It is never destroyed early: when the client or the server has gone meanwhile,
/// its answer is dropped.
using handler = std::function<task<answer>(request)>;

/// The answer to an exception that a handler threw, and to requests that are refused before a handler sees them
/// (status, message).
struct error_answers {
  std::function<answer(std::exception_ptr)> from_exception;
  std::function<answer(int status, std::string message)> from_status;
};

/// What the server is doing now, and has done since it was made. Each figure is right by itself, not all at one instant.
struct server_stats {
  std::size_t open = 0;       ///< connections, idle ones included
  std::size_t parked = 0;     ///< requests that wait for an actor without a thread
  std::size_t downloads = 0;  ///< running
  std::size_t live = 0;       ///< answers without end
  std::size_t buffered = 0;   ///< bytes of larger requests in memory
  std::uint64_t requests = 0; ///< handed to the handler
  std::uint64_t refused = 0;  ///< answered by the server itself: malformed, too large, too slow, too many
  std::size_t waiting = 0;    ///< bytes of answers that wait for clients
  std::uint64_t dropped = 0;  ///< connections that were closed since their client took too little
};

/// The HTTP/1.1 front door. Connections are watched by one epoll set and cost no thread while they idle or wait for an
/// answer; a request is read completely, within its limits, before it is parsed and handed to the handler.
///
/// Every member is thread-safe unless said otherwise.
class server {
public:
  server(server_settings settings, handler handle, error_answers errors);

  /// Stops, waiting for what is being answered, as `stop` with no grace.
  ~server();

  /// Listens on `address`: "host:port", ":port" (every interface) or a bare port or host (port 8080); port 0 takes a
  /// free one. Throws `failure{config_invalid}` with the system's reason. Returns the port.
  std::uint16_t listen(const std::string& address);

  /// Takes over a listening socket (socket activation), TCP or unix; the server closes it.
  void adopt(int listening_socket);

  /// Starts the workers; requests are answered from here on.
  void start();

  /// Stops accepting, closes idle connections, lets requests and downloads under way finish for at most `grace`, then
  /// ends everything. Returns when no thread of the server is left; at once when nothing is under way. A second call
  /// waits for the first. Not from a handler.
  void stop(std::chrono::milliseconds grace);

  server_stats stats() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::http
