#pragma once

#include "http/api/task.hpp"
#include "http/protocol/message.hpp"
#include "rpc/http1/door.hpp"
#include "rpc/http1/request_reader.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>

namespace mistify::http {

class tls_context;

/// What the access rules say about a client by its connection alone.
struct client_standing {
  std::string key = {};     ///< names its identity; "": it has none
  bool has_reserve = false; ///< it may take the connections that are kept free for such clients
};

/// A request that is not addressed to this agent, or a client certificate that does not hold.
struct early_refusal {
  const peer_identity& peer;
  std::string_view method, path; ///< of the request; empty in a handshake
  int status = 0;                ///< 0 in a handshake
  std::string_view why;
};

struct server_settings {
  std::size_t max_body = 1024 * 1024; ///< bytes of a request body; more is 413
  /// Thread-safe: what a request's route allows, asked before its body is read. Counts where it is less than `max_body`;
  /// null: nothing else counts.
  rpc::http1::body_bound body_bound = nullptr;
  std::size_t max_head = 64 * 1024;            ///< bytes of request line and headers; more is 431
  std::size_t max_connections = 4096;          ///< open at a time; the next gets 503 and is closed
  std::size_t max_buffered = 64 * 1024 * 1024; ///< bytes of all requests in memory; the next gets 503
  std::size_t max_downloads = 64;              ///< running downloads; the next gets 503
  std::size_t max_live = 64;                   ///< open-ended answers; the next gets 503
  std::size_t reserved = 0;                    ///< of `max_connections`, for clients that have a reserve
  std::size_t connections_of_one = SIZE_MAX;   ///< of one identity or address; the next is closed
  std::size_t live_of_one = SIZE_MAX;          ///< open-ended answers for one of those; the next gets 429
  std::function<client_standing(const peer_identity&)> standing_of = nullptr; ///< thread-safe; null: nobody has any
  /// Hears of requests and handshakes that are refused because of the client, before a handler runs. Thread-safe, must not
  /// block; may be null.
  std::function<void(const early_refusal&)> on_refusal = nullptr;
  /// Of answers waiting for clients; beyond it the slowest client is disconnected.
  std::size_t waiting_bytes = 256ull << 20U;
  /// Bytes a second that a client must read while bytes wait; 0: no bound.
  std::size_t least_rate = 1024;
  std::chrono::milliseconds rate_window{30'000}; ///< the window of `least_rate`
  std::size_t workers = 4; ///< threads that read, run handlers and write, beside those that wait; see `thread_count`
  std::chrono::milliseconds request_timeout{10'000}; ///< from the first byte of a request to its last; then 408
  std::chrono::milliseconds idle_timeout{75'000};    ///< of a connection between two requests
  std::chrono::milliseconds write_timeout{30'000};   ///< for a client that does not read; then the connection closes
  /// How long a half-closed client may wait for its answer before the server probes whether it still exists.
  std::chrono::milliseconds half_closed_timeout{15'000};
  std::chrono::milliseconds heartbeat{15'000}; ///< the interval of heartbeats in an idle open-ended answer
  mode_t socket_mode = 0660;                   ///< of unix sockets that are listened on
  std::shared_ptr<const rpc::door> door;       ///< judges each request's Host; null: none is refused
  std::shared_ptr<const tls_context> tls;      ///< of TCP listeners; null: they are plain. SIGPIPE has to be ignored
};

/// Bounds that may change while the server runs; see `server_settings`.
struct server_limits {
  std::size_t connections_of_one = SIZE_MAX, live_of_one = SIZE_MAX, waiting_bytes = 256ull << 20U, least_rate = 1024;
};

/// How many threads a server starts with: its workers, and one more for each thread beyond the first that waits for
/// requests. As many handlers as with one such thread can then block theirs.
std::size_t thread_count(const server_settings& settings);

/// Turns a request into an answer. Called on a worker; must not block it for long. The server turns exceptions into
/// answers with `error_answers`.
///
/// Any thread may resume the coroutine and then sends the answer without blocking. While it waits, the connection holds no
/// thread, and keeps the request until the answer is complete. It is never destroyed early: if the client or the server
/// has gone meanwhile, its answer is dropped.
using handler = std::function<task<answer>(request&&)>;

/// Makes the answers for exceptions of a handler, and for requests refused before a handler runs (status, message).
struct error_answers {
  std::function<answer(std::exception_ptr)> from_exception;
  std::function<answer(int status, std::string message)> from_status;
};

/// The server's current and accumulated counts. Each value is exact; together they are not a snapshot of one instant.
struct server_stats {
  std::size_t open = 0;       ///< connections, idle ones included
  std::size_t parked = 0;     ///< requests waiting for an actor, without a thread
  std::size_t downloads = 0;  ///< running
  std::size_t live = 0;       ///< open-ended answers
  std::size_t buffered = 0;   ///< bytes of larger requests in memory
  std::uint64_t requests = 0; ///< handed to the handler
  std::uint64_t refused = 0;  ///< answered by the server itself: malformed, too large, too slow, too many
  std::size_t waiting = 0;    ///< bytes of answers waiting for clients
  std::uint64_t dropped = 0;  ///< connections closed because their client read too slowly
};

/// The HTTP/1.1 server. One epoll set watches the connections, which use no thread while they idle or wait for an
/// answer; a request is read completely, within its limits, before it is parsed and handed to the handler.
///
/// Every member is thread-safe unless said otherwise.
class server {
public:
  server(server_settings settings, handler handle, error_answers errors);

  /// Stops like `stop` without grace: waits for answers in progress.
  ~server();

  /// Listens on `address`: "host:port", ":port" (every interface) or a bare port or host (port 8080); port 0 takes a
  /// free one. "tcp:host:port" never speaks TLS and must stay on loopback; "unix:path" is a unix socket. Throws
  /// `failure{config_invalid}` with the system's reason. Returns the port, 0 of a unix socket.
  std::uint16_t listen(const std::string& address);

  /// Adopts a listening socket (socket activation), TCP or unix; the server closes it. A `plain` one never speaks TLS.
  void adopt(int listening_socket, bool plain = false);

  /// Changes the mode of the unix sockets that `listen` made; those that were adopted keep theirs. False if one cannot be
  /// changed.
  bool set_socket_mode(mode_t mode);

  /// New connections get `context`, which is not null; those that are open go on with theirs. Throws
  /// `failure{config_invalid}` if the server was made without TLS.
  void replace_tls(std::shared_ptr<const tls_context> context);

  /// Changes the bounds. Clients keep what they hold beyond the new ones, and a connection or download keeps the least
  /// rate that it began with.
  void set_limits(const server_limits& now);

  /// Starts the workers; requests are answered from here on.
  void start();

  /// Stops accepting, closes idle connections, lets current requests and downloads finish for at most `grace`, then
  /// aborts the rest. Returns when all threads of the server have ended. A second call waits for the first. Must not
  /// be called from a handler.
  void stop(std::chrono::milliseconds grace);

  server_stats stats() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::http
