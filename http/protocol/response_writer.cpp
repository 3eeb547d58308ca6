#include "http/protocol/response_writer.hpp"

#include "rpc/http1/grammar.hpp"

#include <ctime>

namespace mistify::http {

namespace {

void append_value(std::string& out, std::string_view value) {
  for (char c : value)
    out += rpc::text::is_control(c) ? ' ' : c;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  append_value(out, value);
  out += "\r\n";
}

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

std::string_view date_now() {
  thread_local std::time_t made_for = 0;
  thread_local char made[32];
  if (const auto now = std::time(nullptr); now != made_for) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::strftime(made, sizeof made, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    made_for = now;
  }
  return made;
}

std::string write_head(const answer& a, const head_options& options) {
  std::string out;
  out.reserve(384);
  out.append("HTTP/1.1 ").append(std::to_string(a.status)).append(" ").append(reason_phrase(a.status)).append("\r\n");
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
  return out;
}

bool is_bodiless(int status) noexcept {
  return status < 200 || status == 204 || status == 304;
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
  case 100: return "Continue";
  case 200: return "OK";
  case 201: return "Created";
  case 202: return "Accepted";
  case 204: return "No Content";
  case 206: return "Partial Content";
  case 301: return "Moved Permanently";
  case 302: return "Found";
  case 304: return "Not Modified";
  case 307: return "Temporary Redirect";
  case 308: return "Permanent Redirect";
  case 400: return "Bad Request";
  case 401: return "Unauthorized";
  case 403: return "Forbidden";
  case 404: return "Not Found";
  case 405: return "Method Not Allowed";
  case 406: return "Not Acceptable";
  case 408: return "Request Timeout";
  case 409: return "Conflict";
  case 410: return "Gone";
  case 411: return "Length Required";
  case 412: return "Precondition Failed";
  case 413: return "Content Too Large";
  case 414: return "URI Too Long";
  case 415: return "Unsupported Media Type";
  case 416: return "Range Not Satisfiable";
  case 417: return "Expectation Failed";
  case 421: return "Misdirected Request";
  case 422: return "Unprocessable Content";
  case 428: return "Precondition Required";
  case 429: return "Too Many Requests";
  case 431: return "Request Header Fields Too Large";
  case 500: return "Internal Server Error";
  case 501: return "Not Implemented";
  case 502: return "Bad Gateway";
  case 503: return "Service Unavailable";
  case 504: return "Gateway Timeout";
  case 507: return "Insufficient Storage";
  default: return "Unknown";
  }
}

} // namespace mistify::http
