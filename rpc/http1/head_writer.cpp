#include "rpc/http1/head_writer.hpp"

#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <ctime>

namespace mistify::rpc::http1 {

namespace {

std::string without_controls(std::string_view value) {
  std::string out{value};
  std::replace_if(out.begin(), out.end(), text::is_control, ' ');
  return out;
}

} // namespace

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (text::has_any_control(value))
    return append_field(out, name, without_controls(value));
  text::append_all(out, {name, ": ", value, "\r\n"});
}

void append_status_line(std::string& out, int status) {
  text::append_all(out, {"HTTP/1.1 ", std::to_string(status), " ", reason_phrase(status), "\r\n"});
}

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

} // namespace mistify::rpc::http1
