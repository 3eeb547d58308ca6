#pragma once

#include <string>
#include <string_view>

/// What the store has to know about URLs of images. No message holds a URL with its user info, query or fragment, which are
/// where passwords and signatures are.
namespace mistify::fetching {

/// An http, https or file URL in its parts. A value.
struct url_parts {
  std::string scheme;         ///< lower case
  std::string host;           ///< as curl spells it, [::1] with brackets; empty for most file URLs
  std::string port;           ///< of http and https also where the URL names none
  std::string path;           ///< begins with a slash, percent-encoded
  std::string query;          ///< without the question mark
  std::string user, password; ///< decoded

  bool is_file() const noexcept { return scheme == "file"; }
  std::string text() const; ///< without user info and fragment
};

/// Throws std::invalid_argument, without the text, where it is no such URL.
url_parts parse_url(const std::string& text);

/// Where `location`, a URL or a part of one, leads from there. User info is not inherited. Throws std::invalid_argument.
url_parts resolve_url(const url_parts& from, const std::string& location);

/// Scheme, host and port are the same. File URLs have no origin, and so none in common.
bool same_origin(const url_parts& a, const url_parts& b);

/// The text of a URL without user info, query and fragment. Takes any text.
std::string without_secrets(std::string_view url);

/// The URL of a file beside another: `ending` goes behind the path, so before the query; a URL without a
/// path has the path `/`.
std::string beside(std::string_view url, std::string_view ending);

/// The last part of a URL's path: "http://h/a/b.qcow2.gz?x" → "b.qcow2.gz". Empty where it has no path.
std::string file_name_of(std::string_view url);

} // namespace mistify::fetching
