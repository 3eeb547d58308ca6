#include "http/protocol/response_writer.hpp"

#include "rpc/http1/grammar.hpp"

namespace mistify::http {

using rpc::http1::append_field;
using rpc::http1::append_status_line;

namespace {

/// Headers that say where an answer ends are the server's own business.
bool is_framing(std::string_view name) {
  for (std::string_view own : {"content-length", "transfer-encoding", "connection", "content-type", "date"})
    if (rpc::text::equal_ignoring_case(name, own))
      return true;
  return false;
}

void append_framing(std::string& out, const answer& a, const head_options& options) {
  if (options.chunked)
    out += "Transfer-Encoding: chunked\r\n";
  else if (options.content_length >= 0 && !is_bodiless(a.status))
    append_field(out, "Content-Length", std::to_string(options.content_length));
  if (!options.keep_alive)
    out += "Connection: close\r\n";
  else if (options.http_1_0)
    out += "Connection: keep-alive\r\n";
}

} // namespace

std::string write_head(const answer& a, const head_options& options) {
  std::string out;
  append_head(out, a, options);
  return out;
}

void append_head(std::string& out, const answer& a, const head_options& options) {
  out.reserve(out.size() + 384);
  append_status_line(out, a.status);
  if (!options.date.empty())
    append_field(out, "Date", options.date);
  if (!options.request_id.empty())
    append_field(out, "X-Request-ID", options.request_id);
  if (!is_bodiless(a.status) && !a.content_type.empty())
    append_field(out, "Content-Type", a.content_type);
  out += "X-Content-Type-Options: nosniff\r\n";
  bool says_how_to_keep = false;
  for (const auto& [name, value] : a.headers) {
    if (rpc::text::is_token(name) && !is_framing(name))
      append_field(out, name, value);
    says_how_to_keep |= rpc::text::equal_ignoring_case(name, "cache-control");
  }
  if (!says_how_to_keep && !is_bodiless(a.status) && a.content_type.starts_with("application/json"))
    out += "Cache-Control: no-store\r\n";
  append_framing(out, a, options);
  out += "\r\n";
}

} // namespace mistify::http
