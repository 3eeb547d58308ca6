#pragma once

#include "http/protocol/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::http {

/// What the head of an answer needs beside the answer.
struct head_options {
  std::int64_t content_length = 0; ///< -1: not known
  bool chunked = false;
  bool keep_alive = true;
  bool http_1_0 = false;       ///< of the request: persistence has to be said
  std::string_view date;       ///< empty: no Date header
  std::string_view request_id; ///< empty: no X-Request-ID header
};

/// Now, as a Date header has it: "Mon, 23 Nov 2026 21:00:00 GMT" (RFC 9110, section 5.6.7). Made once a second on each
/// thread, and valid until that thread asks again.
std::string_view date_now();

/// Status line, headers and the empty line. Nothing of the answer can break out of its line: control characters in
/// values become spaces, headers without a token as name and those that frame the answer are left out. No browser guesses
/// another type than the one that is given, and none keeps JSON unless the answer says how long.
std::string write_head(const answer& a, const head_options& options);

/// True for the statuses that never have a body: 1xx, 204 and 304.
bool is_bodiless(int status) noexcept;

/// The reason phrase; "Unknown" for what RFC 9110 does not name.
std::string_view reason_phrase(int status) noexcept;

} // namespace mistify::http
