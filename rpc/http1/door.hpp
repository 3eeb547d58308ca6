#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::rpc {

/// The host and the port of a Host header, a target or an Origin. Views into the parsed text.
struct authority {
  std::string_view host; ///< IPv6 addresses keep their brackets
  std::string_view port; ///< digits; empty where none is given
};

/// Parses "host", "host:port" and "[::1]:port" (RFC 3986, section 3.2.2). Null for anything else: an empty host, user
/// info, an IPv6 address without brackets, a port over 65535.
std::optional<authority> parse_authority(std::string_view text) noexcept;

/// The authority of an absolute-form target: "http://HOST/path" → "HOST". Null for the other forms.
std::optional<std::string_view> authority_of_target(std::string_view target) noexcept;

/// The host name of this machine: as it is set, its first label, and the canonical name that the system's resolver
/// gives within two seconds. Looked up once; later calls return the same.
const std::vector<std::string>& machine_names();

/// What a request says about the server that it is for.
struct addressed_to {
  std::string_view target = {}; ///< of the request line
  std::string_view host = {};   ///< value of a Host line
  std::size_t hosts = 0;        ///< number of Host lines
  bool http_1_0 = false;
  bool any_name = false; ///< the client did not come by a name: a unix socket
};

/// Decides by `Host` whether a request is meant for this server. A web page whose own name is rebound to this machine's
/// address sends that name, so only known names are answered. Immutable; any thread may ask.
class door {
public:
  struct refusal {
    int status; ///< 400 or 421
    std::string_view message;
  };

  /// IP literals, "localhost" and `names` are answered; "*" among the names stands for every name. Ports do not count.
  explicit door(const std::vector<std::string>& names);

  /// Null where the request is taken. HTTP/1.1 needs exactly one valid Host (RFC 9112, section 3.2). The authority of an
  /// absolute-form target replaces Host.
  std::optional<refusal> refuse(const addressed_to& request) const noexcept;

private:
  bool knows(std::string_view host) const noexcept;

  std::vector<std::string> names_; // lower case, without the final dot
  bool any_ = false;
};

/// What a browser says about the page that sent a request; null where the header is absent.
struct sent_from {
  std::optional<std::string_view> fetch_site = {}; ///< Sec-Fetch-Site
  std::optional<std::string_view> origin = {};     ///< Origin
};

/// True if a page of another site sent the request: Sec-Fetch-Site is neither "same-origin" nor "none", or Origin is not
/// `host`, the authority that the request is for. A missing port stands for that of the Origin's scheme.
bool is_cross_site(const sent_from& page, std::string_view host) noexcept;

} // namespace mistify::rpc
