#pragma once

#include <optional>
#include <string_view>

namespace mistify::rpc {

/// The text of a URL cut into its parts, which are views into it. Nothing is decoded, and nothing is checked: whoever asks
/// a server parses the URL (rpc/fetch/url.hpp).
struct url_text {
  std::string_view scheme;    ///< what is before "://"
  std::string_view authority; ///< user info, host and port
  std::string_view user_info; ///< of the authority what is before its last @
  std::string_view host;      ///< an IPv6 address with its brackets
  std::string_view port;      ///< of the authority what is behind its last colon; empty: none is named
  std::string_view rest;      ///< path, query and fragment; begins with / ? # or \, where clients may see a slash
};

/// Null if the text has no "://".
std::optional<url_text> split_url(std::string_view url) noexcept;

} // namespace mistify::rpc
