#include "rpc/fetch/answer_head.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <curl/curl.h>

namespace mistify::fetching {

namespace {

std::string lower(std::string_view text) {
  std::string made{text};
  std::transform(made.begin(), made.end(), made.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return made;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ')
    text.remove_suffix(1);
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ')
    text.remove_prefix(1);
  return text;
}

std::int64_t number_in(std::string_view text) {
  std::int64_t value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value < 0 ? -1 : value;
}

/// -1 for what is no number alone, or too large a one.
std::int64_t length_in(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : -1;
}

bool is_strong(const std::string& etag) {
  return !etag.empty() && !etag.starts_with("W/");
}

/// A date alone tells versions apart only where the file is older than the second that the answer was made in.
bool is_strong(const std::string& modified, const std::string& date) {
  const auto changed = curl_getdate(modified.c_str(), nullptr), answered = curl_getdate(date.c_str(), nullptr);
  return changed > 0 && answered > changed;
}

} // namespace

void answer_head::take(std::string_view line) {
  if (line.starts_with("HTTP/"))
    *this = {.size = size};
  size += line.size();
  const auto colon = line.find(':');
  if (colon == line.npos)
    return;
  const auto name = lower(line.substr(0, colon));
  const auto value = trimmed(line.substr(colon + 1));
  if (name == "content-length")
    take_length(length_in(value));
  else if (name == "etag")
    etag = value;
  else if (name == "last-modified")
    modified = value;
  else if (name == "date")
    date = value;
  else if (name == "location")
    location = value;
  else if (name == "content-type")
    type = lower(value);
  else if (name == "content-encoding")
    encoding += (encoding.empty() ? "" : ", ") + lower(value);
  else if (name == "content-range" && lower(value).starts_with("bytes ")) {
    from = number_in(value.substr(6));
    total = number_in(value.substr(std::min(value.find('/'), value.size() - 1) + 1));
  }
}

void answer_head::take_length(std::int64_t told) {
  length_is_valid = length_is_valid && told >= 0 && (length < 0 || length == told);
  length = told;
}

std::string answer_head::validator() const {
  if (!etag.empty())
    return is_strong(etag) ? etag : "";
  return is_strong(modified, date) ? modified : "";
}

bool answer_head::is_readable() const noexcept {
  return encoding.empty() || encoding == "identity" || encoding == "gzip" || encoding == "x-gzip" || encoding == "zstd";
}

bool goes_on_with(const answer_head& first, std::int64_t size, const answer_head& part) {
  if (part.etag != first.etag || part.total < 0 || (size >= 0 && part.total != size))
    return false;
  // A server may leave the date out where there is an ETag (RFC 9110, 15.3.7).
  return part.modified == first.modified || (part.modified.empty() && is_strong(first.etag));
}

} // namespace mistify::fetching
