#include "rpc/base/url_text.hpp"

namespace mistify::rpc {

std::optional<url_text> split_url(std::string_view url) noexcept {
  constexpr std::string_view mark = "://";
  const auto colon = url.find(mark);
  if (colon == url.npos)
    return std::nullopt;
  url_text parts;
  parts.scheme = url.substr(0, colon);
  url.remove_prefix(colon + mark.size());
  parts.authority = url.substr(0, url.find_first_of("/?#\\"));
  parts.rest = url.substr(parts.authority.size());
  parts.host = parts.authority;
  if (const auto at = parts.host.rfind('@'); at != parts.host.npos) {
    parts.user_info = parts.host.substr(0, at);
    parts.host.remove_prefix(at + 1);
  }
  // The colons of an IPv6 address are before its bracket.
  if (const auto at = parts.host.rfind(':'); at != parts.host.npos && parts.host.find(']', at) == parts.host.npos) {
    parts.port = parts.host.substr(at + 1);
    parts.host = parts.host.substr(0, at);
  }
  return parts;
}

} // namespace mistify::rpc
