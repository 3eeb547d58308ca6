#include "http/client/address.hpp"

#include "http/client/failure.hpp"
#include "rpc/base/cut_text.hpp"

#include <algorithm>
#include <charconv>
#include <sys/un.h>

namespace mistify::client {

namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw failure{fault::usage, std::string{text} + ": " + why};
}

std::uint16_t parse_port(std::string_view whole, std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0)
    refuse(whole, "the port must be from 1 to 65535");
  return port;
}

address parse_unix(std::string_view whole, std::string_view path) {
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.empty() || path.size() > longest || path.find('\0') != path.npos)
    refuse(whole, "the path of a unix socket has 1 to " + std::to_string(longest) + " bytes");
  return {address::scheme::unix_socket, std::string{path}, 0};
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

address parse_host(std::string_view whole, std::string_view rest, address::scheme how) {
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  address parsed{how, {}, static_cast<std::uint16_t>(how == address::scheme::https ? 443 : 80)};
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == rest.npos ||
        !std::ranges::all_of(rest.substr(1, end - 1), [](char c) { return c == ':' || is_host_character(c); }))
      refuse(whole, "an IPv6 address stands in brackets");
    parsed.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  } else {
    parsed.host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(parsed.host.size());
    if (!std::ranges::all_of(parsed.host, is_host_character))
      refuse(whole, "there is a scheme, a host and a port, and nothing else");
  }
  if (parsed.host.empty() || (!rest.empty() && !rest.starts_with(':')))
    refuse(whole, "there is a scheme, a host and a port, and nothing else");
  if (!rest.empty())
    parsed.port = parse_port(whole, rest.substr(1));
  return parsed;
}

} // namespace

std::string address::authority() const {
  if (how == scheme::unix_socket)
    return "localhost";
  const bool v6 = host.find(':') != host.npos;
  const std::uint16_t usual = how == scheme::https ? 443 : 80;
  return (v6 ? "[" + host + "]" : host) + (port == usual ? "" : ":" + std::to_string(port));
}

std::string address::text() const {
  if (how == scheme::unix_socket)
    return "unix:" + host;
  return (how == scheme::https ? "https://" : "http://") + authority();
}

address parse_address(std::string_view text) {
  if (rpc::has_control(text))
    throw failure{fault::usage, "the agent's address has control characters"};
  constexpr std::string_view by_unix = "unix:", by_http = "http://", by_https = "https://";
  if (text.starts_with(by_unix))
    return parse_unix(text, text.substr(by_unix.size()));
  if (text.starts_with(by_http))
    return parse_host(text, text.substr(by_http.size()), address::scheme::http);
  if (text.starts_with(by_https))
    return parse_host(text, text.substr(by_https.size()), address::scheme::https);
  refuse(text, "an agent's address is unix:PATH, http://HOST[:PORT] or https://HOST[:PORT]");
}

} // namespace mistify::client
