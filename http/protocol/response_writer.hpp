#pragma once

#include "http/protocol/message.hpp"
#include "rpc/http1/head_writer.hpp"

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
  bool varies = false;         ///< by Accept-Encoding, and no header of the answer says so
  std::string_view date;       ///< empty: no Date header
  std::string_view request_id; ///< empty: no X-Request-ID header
};

using rpc::http1::date_now;
using rpc::http1::is_bodiless;
using rpc::http1::reason_phrase;

/// Status line, headers and the empty line. Nothing of the answer can break out of its line: control characters in
/// values become spaces, headers without a token as name and those that frame the answer are left out. No browser guesses
/// another type than the one that is given, and none keeps JSON unless the answer says how long.
std::string write_head(const answer& a, const head_options& options);

/// The same, at the end of `out`.
void append_head(std::string& out, const answer& a, const head_options& options);

} // namespace mistify::http
