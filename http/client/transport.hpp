#pragma once

#include "http/client/address.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace mistify::client {

class connection;
class tls_client;

/// How to reach an agent, and as whom.
struct settings {
  address agent;
  std::string token;                                   ///< bearer token; empty: none
  std::string ca_file;                                 ///< PEM; empty: the system's certification authorities
  std::string cert_file;                               ///< the client's certificate, PEM; empty: none
  std::string key_file;                                ///< its key, PEM
  std::chrono::milliseconds timeout{30'000};           ///< from the start of a call to its whole answer
  std::string_view peer{"agent"};                      ///< what messages call the other side; a literal
  std::size_t longest_answer = std::size_t{64} << 20U; ///< bytes; 20,000 guests have less
};

/// What is sent. `target` is the path with its query, percent-encoded. `headers` beat those that every message has.
struct message {
  std::string method, target, body;
  std::multimap<std::string, std::string> headers;
};

/// What came back.
struct reply {
  int status = 0;
  std::string body;
  std::multimap<std::string, std::string> headers; ///< names in lower case
  std::string header(const std::string& lower_case_name) const;
};

/// Receives the bytes of a streamed body; returns false to end the call.
using byte_receiver = std::function<bool(std::string_view)>;

/// HTTP/1.1 to one agent, or to another server, on one kept connection. Follows no redirect and uses no proxy. Not for
/// several threads at a time. All calls throw `failure`.
class transport {
public:
  /// Connects to nothing yet. Throws `failure{usage}` for a token that is no header value, `failure{tls}` for certificates
  /// that cannot be used.
  explicit transport(settings how);
  ~transport();

  /// One call. `longest`: 0 means `settings.timeout`.
  reply send(const message& what, std::chrono::milliseconds longest = std::chrono::milliseconds{0});

  /// One call whose successful answer (status 200) goes to `to` as it comes, without an end in time; `idle` is the
  /// longest pause between two pieces. An answer with another status is returned whole, as by `send`. `opened` is called
  /// once the head of status 200 has come.
  reply stream(const message& what, const byte_receiver& to, std::chrono::milliseconds idle,
               const std::function<void(const reply&)>& opened = {});

  const settings& how() const noexcept { return how_; }

private:
  class call;
  void take_whole(call& from, reply& to, std::chrono::milliseconds idle) const;

  const settings how_;
  std::unique_ptr<const tls_client> tls_; ///< null without TLS
  std::unique_ptr<connection> kept_;      ///< between calls; null: none
};

/// Percent-encodes one segment of a path or one value of a query.
std::string encode_segment(std::string_view text);

} // namespace mistify::client
