#pragma once

#include "rpc/client/client.hpp"
#include "rpc/kit/byte_sink.hpp"
#include "rpc/model/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <type_traits>
#include <utility>
#include <vector>

namespace mistify::rpc {

/// How an `http_handler` answers: a text, or a stream.
struct http_answer {
  using sink = byte_sink;

  int status = 200;
  std::string text = {}; ///< the body where `stream` is empty

  /// Called after the head was sent, to send application/octet-stream. False, or an exception, breaks the connection
  /// off, so that the receiver knows that something is missing.
  std::function<bool(const sink& write)> stream = {};

  /// Bytes that `stream` is going to write; -1 where it does not know, then they leave in chunks.
  std::int64_t length = -1;
};

/// Whoever waits for the answer to a call.
class asker {
public:
  virtual ~asker() = default;
  /// True once nobody reads the answer any more: the connection is closed, by a cancelled job or an agent that ended. Any
  /// thread may ask, as long as the call is served.
  virtual bool gone() const noexcept = 0;
  /// The id of the agent's job that the call belongs to; empty where there is none, or none that could be one. To tell
  /// the agent how far the call is, see agent_link.hpp.
  virtual const std::string& job() const noexcept = 0;
};

/// Where a server listens, and for whom.
struct listen_at {
  listen_at(std::uint16_t on) : port{on} {} // NOLINT: a port is the usual place
  explicit listen_at(std::string path) : socket{std::move(path)} {}

  std::uint16_t port = 0;            ///< of 127.0.0.1; 0 takes a free one
  std::string socket = {};           ///< path of a unix socket, in place of the port; empty: none
  std::vector<uid_t> allowed = {};   ///< users that may call at a unix socket, beside root and the server's own
  std::optional<gid_t> group = {};   ///< of the unix socket
  std::optional<int> inherited = {}; ///< a listening socket of the service manager, in place of both
};

/// The kit for authors of sub-agents: answers the agent's JSON-RPC calls over HTTP on 127.0.0.1.
///
///   rpc::server s{20001};
///   s.handle<rpc::guest_request, rpc::guest_response>("Libvirt.Reboot", [](const rpc::guest_request& r) {
///     return rpc::guest_response{rebooted(r.guest)};   // an exception's what() becomes the answer's `error`
///   });
///   s.listen();
///
/// Handlers run on as many threads at a time as there are calls. They are registered before `start` or `listen`.
///
/// At most 64 connections are served at a time, half of them with streams: one more is answered 503. The rest waits,
/// peers that hold fewer first. Requests of web pages are refused, and so are those whose Host is no name of this
/// machine; see door.hpp.
class server {
public:
  /// Takes the port or the socket at once, exclusively. Throws `failure{unavailable}` where it is taken.
  /// `max_body` bounds a request in bytes.
  explicit server(const listen_at& where, std::size_t max_body = 1024 * 1024,
                  std::string path = std::string{default_rpc_path});

  /// Stops.
  ~server();

  std::uint16_t port() const noexcept; ///< 0 at a unix socket

  /// For people: "127.0.0.1:20001" or the path of the socket.
  std::string address() const;

  /// Serves `method` by `f`, from `const In&` to `Out`; see messages.hpp for what the types need. What `f` throws is
  /// the answer's `error`: its text, or `{"code","message"}` for a `failure` with a code of sub-agents
  /// (`sub_agent_in_use`); params that do not decode are answered with 400. What takes long may also take a `const
  /// asker&`, to see when to give up.
  template <class In, class Out, class F>
  void handle(std::string method, F f) {
    handle_node(std::move(method), [f = std::move(f)](const json::node& params) -> reply {
      In in{};
      decode(params, in);
      return [&f, in = std::move(in)]([[maybe_unused]] const asker& who) {
        if constexpr (std::is_invocable_v<const F&, const In&, const asker&>)
          return encode(static_cast<const Out&>(f(in, who)));
        else
          return encode(static_cast<const Out&>(f(in)));
      };
    });
  }

  /// Serves `method` by `f`, from JSON text (the one object of params) to JSON text.
  void handle_raw(std::string method, std::function<std::string(std::string_view params)> f);

  /// Serves POSTs to another path, of any content type.
  void handle_http(std::string path, std::function<http_answer(std::string_view body)> f);

  /// Serves until `stop` is called from another thread.
  void listen();

  /// Serves on threads of its own, until `stop`.
  void start();

  /// Takes no more calls, drops idle connections and waits for the handlers that run. Thread-safe; may be called often.
  void stop();

private:
  using reply = std::function<std::string(const asker&)>;
  /// Decodes, and returns what is to be run: so faults of the params and of the handler stay apart.
  using prepare = std::function<reply(const json::node& params)>;

  void handle_node(std::string method, prepare f);

  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::rpc
