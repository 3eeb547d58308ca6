#include "http/protocol/response_writer.hpp"

#include "rpc/http1/grammar.hpp"

namespace mistify::http {

using rpc::http1::append_field;

namespace {

/// Headers that say where an answer ends are the server's own business.
bool is_framing(std::string_view name) {
  for (std::string_view own : {"content-length", "transfer-encoding", "connection", "content-type", "date"})
    if (rpc::text::equal_ignoring_case(name, own))
      return true;
  return false;
}

/// Which headers say how the answer ends, and whether the connection goes on.
void append_framing(std::string& out, const answer& a, const head_options& options) {
  std::string_view label, after;
  std::string length;
  if (options.chunked) {
    label = "Transfer-Encoding: chunked\r\n";
  } else if (options.content_length >= 0 && !is_bodiless(a.status)) {
    label = "Content-Length: ";
    length = std::to_string(options.content_length);
    after = "\r\n";
  }
  const std::string_view persistence = !options.keep_alive ? "Connection: close\r\n"
                                       : options.http_1_0  ? "Connection: keep-alive\r\n"
                                                           : "";
  rpc::text::append_all(out, {label, length, after, persistence, "\r\n"});
}

/// The label of a header; empty where the header has no value, and is left out.
std::string_view label_of(std::string_view value, std::string_view label) {
  return value.empty() ? std::string_view{} : label;
}

} // namespace

std::string write_head(const answer& a, const head_options& options) {
  std::string out;
  append_head(out, a, options);
  return out;
}

/// What is the server's own has no control characters, and goes in at once.
void append_head(std::string& out, const answer& a, const head_options& options) {
  constexpr std::size_t usual = 384;
  out.reserve(out.size() + usual);
  const bool bodiless = is_bodiless(a.status);
  const auto type = bodiless ? std::string_view{} : a.content_type;
  rpc::text::append_all(out, {"HTTP/1.1 ", std::to_string(a.status), " ", reason_phrase(a.status),
                              label_of(options.date, "\r\nDate: "), options.date,
                              label_of(options.request_id, "\r\nX-Request-ID: "), options.request_id,
                              label_of(type, "\r\nContent-Type: "), type, "\r\nX-Content-Type-Options: nosniff\r\n"});
  bool says_how_to_keep = false;
  for (const auto& [name, value] : a.headers) {
    if (rpc::text::is_token(name) && !is_framing(name))
      append_field(out, name, value);
    says_how_to_keep |= rpc::text::equal_ignoring_case(name, "cache-control");
  }
  if (!says_how_to_keep && type.starts_with("application/json"))
    out += "Cache-Control: no-store\r\n";
  append_framing(out, a, options);
}

} // namespace mistify::http
