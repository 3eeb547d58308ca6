#include "rpc/fetch/url.hpp"

#include "rpc/base/text.hpp"
#include "rpc/base/url_text.hpp"

#include <algorithm>
#include <curl/curl.h>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>

namespace mistify::fetching {

namespace {

using handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

[[noreturn]] void refuse() {
  throw std::invalid_argument{"source: must be an http, https or file URL"};
}

handle new_handle() {
  handle made{curl_url(), &curl_url_cleanup};
  if (!made)
    throw std::bad_alloc{};
  return made;
}

void set(const handle& url, const std::string& text, unsigned flags) {
  // The C library would read up to the first zero byte only.
  if (text.find('\0') != text.npos || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), flags) != CURLUE_OK)
    refuse();
}

std::string part(const handle& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK)
    return {};
  const std::unique_ptr<char, decltype(&curl_free)> freed{text, &curl_free};
  return text;
}

url_parts parts_of(const handle& url) {
  url_parts parts{.scheme = part(url, CURLUPART_SCHEME),
                  .host = part(url, CURLUPART_HOST),
                  .port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT),
                  .path = part(url, CURLUPART_PATH),
                  .query = part(url, CURLUPART_QUERY),
                  .user = part(url, CURLUPART_USER, CURLU_URLDECODE),
                  .password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE)};
  if (parts.scheme != "http" && parts.scheme != "https" && parts.scheme != "file")
    refuse();
  std::transform(parts.host.begin(), parts.host.end(), parts.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return parts;
}

/// Where the path begins, behind scheme and authority; the end of the text where there is no path.
std::size_t path_at(std::string_view url) {
  if (const auto parts = rpc::split_url(url))
    return url.size() - parts->rest.size();
  return std::min(url.size(), url.find_first_of("/\\"));
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Of what curl takes for a URL, what the readers of its text here understand as curl does: a scheme, `://` and a host, with
/// neither backslash nor control character before the path. A file URL may go without a host.
bool is_spelled_plainly(std::string_view url) {
  const auto parts = rpc::split_url(url);
  return parts && !parts->scheme.empty() && std::ranges::all_of(parts->scheme, is_letter) &&
         (!parts->authority.empty() || rpc::text::equal_ignoring_case(parts->scheme, "file")) &&
         !parts->rest.starts_with('\\') && std::ranges::none_of(parts->authority, rpc::text::is_control);
}

/// `scheme:/`, `http:`: what somebody may have meant as a URL, however it goes on.
bool looks_like_url(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos)
    return false;
  const auto rest = text.substr(colon + 1);
  return rest.starts_with('/') || rest.starts_with('\\') || rest.find("://") != rest.npos;
}

std::string_view without_query(std::string_view url) {
  return url.substr(0, url.find_first_of("?#"));
}

} // namespace

std::string url_parts::text() const {
  const auto where = is_file() ? "" : ':' + port;
  return scheme + "://" + host + where + path + (query.empty() ? "" : '?' + query);
}

url_parts parse_url(const std::string& text) {
  if (!is_spelled_plainly(text)) // curl would make a guess
    refuse();
  const auto url = new_handle();
  set(url, text, 0);
  return parts_of(url);
}

url_parts resolve_url(const url_parts& from, const std::string& location) {
  const auto url = new_handle();
  set(url, from.text(), 0);
  set(url, location, CURLU_URLENCODE);
  return parts_of(url);
}

bool same_origin(const url_parts& a, const url_parts& b) {
  return !a.is_file() && a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

std::string without_secrets(std::string_view url) {
  const bool plain = is_spelled_plainly(url);
  if (!plain && looks_like_url(url)) {
    const auto scheme = url.substr(0, url.find(':'));
    return (std::all_of(scheme.begin(), scheme.end(), is_letter) ? std::string{scheme} : "") + "://…";
  }
  url = without_query(url);
  const auto parts = plain ? rpc::split_url(url) : std::nullopt;
  if (!parts)
    return std::string{url};
  const auto secrets = parts->user_info.size() + (parts->authority.find('@') == url.npos ? 0 : 1);
  return std::string{parts->scheme}.append("://").append(parts->authority.substr(secrets)).append(parts->rest);
}

std::string beside(std::string_view url, std::string_view ending) {
  const auto path = without_query(url);
  const auto query = url.substr(path.size());
  const auto* slash = path_at(path) == path.size() ? "/" : ""; // else the ending would be the host's
  return std::string{path} + slash + std::string{ending} + std::string{query.substr(0, query.find('#'))};
}

std::string file_name_of(std::string_view url) {
  url = without_query(url);
  url.remove_prefix(path_at(url));
  return std::string{url.substr(url.rfind('/') + 1)};
}

} // namespace mistify::fetching
