#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::client {

/// Where an agent listens: a unix socket or a host with a port, with TLS or without.
struct address {
  enum class scheme : std::uint8_t { unix_socket, http, https };
  scheme how = scheme::unix_socket;
  std::string host; ///< without the brackets of an IPv6 address; of a unix socket its path
  std::uint16_t port = 0;

  /// The value of `Host`.
  std::string authority() const;
  /// As people write it: "unix:/run/mistify/agent.sock", "https://host:8443".
  std::string text() const;
};

/// Where the packaged agent listens.
inline constexpr std::string_view default_address = "unix:/run/mistify/agent.sock";

/// Parses "unix:PATH", "http://HOST[:PORT]" or "https://HOST[:PORT]"; one trailing slash is allowed. The default ports
/// are 80 and 443. Throws `failure{usage}` for any other text, credentials in the URL included.
address parse_address(std::string_view text);

} // namespace mistify::client
