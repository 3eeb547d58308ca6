#include "rpc/kit/server_connection.hpp"

#include "rpc/net/unix_socket.hpp"

#include "rpc/http1/grammar.hpp"
#include "rpc/http1/head_writer.hpp"
#include "rpc/http1/target.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sys/socket.h>

namespace mistify::rpc {

namespace {

constexpr std::chrono::seconds request_time{30};
constexpr std::chrono::seconds write_time{30};
constexpr std::chrono::seconds drain_time{2};
constexpr std::size_t head_budget = 64 * 1024;
constexpr auto text_type = "text/plain; charset=utf-8";
constexpr auto stream_type = "application/octet-stream";

/// "Application/JSON; charset=utf-8" → "application/json"
std::string media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' '))
    content_type.remove_suffix(1);
  std::string lower{content_type};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// Handlers may make a path of it.
std::string job_of(std::string_view id) {
  constexpr std::size_t longest = 64;
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) || c == '-'; };
  return id.size() <= longest && std::all_of(id.begin(), id.end(), is_plain) ? std::string{id} : std::string{};
}

bool names_option(const http1::request_head& head, std::string_view option) {
  for (const auto& field : head.fields) {
    if (!text::equal_ignoring_case(field.name, "connection"))
      continue;
    for (auto rest = field.value; !rest.empty();) {
      const auto part = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
      if (text::equal_ignoring_case(text::trim(part), option))
        return true;
    }
  }
  return false;
}

bool stays_open(const http1::request_head& head) {
  return !names_option(head, "close") && (!head.http_1_0 || names_option(head, "keep-alive"));
}

/// One chunk of a chunked body.
std::string chunk_of(std::string_view bytes) {
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
  std::string out;
  out.reserve(bytes.size() + size.size() + 4);
  out.append(size.data(), end).append("\r\n").append(bytes).append("\r\n");
  return out;
}

/// True when the stream came to its end with exactly `length` bytes (-1: any number).
bool stream_once(const http_answer& answer, bool chunked, socket_stream& to) {
  std::uint64_t written = 0;
  const auto limit = static_cast<std::uint64_t>(answer.length); // -1 is no limit
  const auto fits = [&](std::size_t size) {
    const bool does = size <= limit - written;
    written += does ? size : 0;
    return does;
  };
  const auto bytes = [&](std::string_view b) {
    if (b.empty()) // nothing is sent: a chunk of no bytes would end the body
      return !to.other_end_left();
    return fits(b.size()) && to.send(chunked ? std::string_view{chunk_of(b)} : b);
  };
  const auto file = [&](int fd, std::uint64_t offset, std::size_t size) {
    return fits(size) && (size == 0 || to.send_file(fd, offset, size));
  };
  try {
    return answer.stream(chunked ? http_answer::sink{bytes} : http_answer::sink{bytes, file}) &&
           (answer.length < 0 || written == limit);
  } catch (const std::exception&) {
    return false; // the head is out: the receiver learns of it by the end of the connection
  }
}

/// One of the streams that a server sends at a time. False where all are taken.
class stream_place {
public:
  explicit stream_place(const served& of) : of_{of}, taken_{of.streams.fetch_add(1) < of.most_streams} {}
  ~stream_place() { --of_.streams; }
  stream_place(const stream_place&) = delete;
  stream_place& operator=(const stream_place&) = delete;
  explicit operator bool() const noexcept { return taken_; }

private:
  const served& of_;
  const bool taken_;
};

} // namespace

server_connection::server_connection(unique_fd fd, const served& what)
  : what_{what}, stream_{std::move(fd)}, reader_{{.max_head = head_budget, .max_body = what.max_body}} {
  stream_.bound_writes(write_time);
}

bool server_connection::wait_for_request(deadline until) {
  await_client();
  return !reader_.empty() || stream_.wait(until);
}

bool server_connection::serve_request() {
  using progress = http1::request_reader::progress;
  await_client();
  // Chunks of a byte have five of framing.
  stream_.begin(deadline_after(request_time), head_budget + 8 * std::min(what_.max_body, SIZE_MAX / 16));
  for (;;) {
    switch (reader_.advance()) {
    case progress::more:
      if (!read_more())
        return reader_.empty() ? false : refuse_framing(400, "request broken off");
      break;
    case progress::go_on:
      if (!stream_.send("HTTP/1.1 100 Continue\r\n\r\n"))
        return false;
      break;
    case progress::complete: return serve_whole();
    case progress::refused: return refuse_framing(reader_.why().status, reader_.why().message);
    }
  }
}

bool server_connection::read_more() {
  const auto bytes = stream_.next(SIZE_MAX);
  reader_.append(bytes);
  return !bytes.empty();
}

bool server_connection::serve_whole() {
  awaits_since_ = nothing_awaited;
  keep_ = stays_open(reader_.head());
  const auto body = reader_.take_body();
  const auto path = http1::percent_decode(http1::path_of(reader_.head().target));
  if (!admits())
    return false;
  if (path)
    dispatch(*path, body);
  else
    refuse(400, "rpc: the path is not valid");
  reader_.next();
  return keep_;
}

/// False: nothing that follows on the connection can be trusted.
bool server_connection::refuse_framing(int status, const std::string& message) {
  refuse(status, status == 413 ? "rpc: request too large" : "rpc: " + message);
  drain();
  return false;
}

/// A socket that is closed with bytes unread takes the answer back from a client that still sends.
void server_connection::drain() {
  await_client();
  ::shutdown(stream_.socket(), SHUT_WR);
  stream_.extend(deadline_after(drain_time));
  while (!stream_.next(SIZE_MAX).empty()) {
  }
}

std::string_view server_connection::header(std::string_view name) const noexcept {
  for (const auto& field : reader_.head().fields)
    if (text::equal_ignoring_case(field.name, name))
      return field.value;
  return {};
}

void server_connection::refuse(int status, std::string_view text) {
  keep_ = false;
  send_text(status, text_type, std::string{text} + '\n');
}

/// False, and answered, where the request is not for this server, or comes from a web page.
bool server_connection::admits() {
  const auto& head = reader_.head();
  std::size_t hosts = 0;
  std::optional<std::string> site, origin;
  const auto add = [](std::optional<std::string>& to, std::string_view value) {
    to = to ? *to + ", " + std::string{value} : std::string{value};
  };
  for (const auto& field : head.fields) {
    hosts += text::equal_ignoring_case(field.name, "host");
    if (text::equal_ignoring_case(field.name, "sec-fetch-site"))
      add(site, field.value);
    else if (text::equal_ignoring_case(field.name, "origin"))
      add(origin, field.value);
  }
  const auto host = header("host");
  const auto no = what_.door.refuse({.target = head.target,
                                     .host = host,
                                     .hosts = hosts,
                                     .http_1_0 = head.http_1_0,
                                     .any_name = peer_user(stream_.socket()).has_value()});
  const bool foreign = is_cross_site({site, origin}, host);
  if (no)
    refuse(no->status, "rpc: " + std::string{no->message});
  else if (foreign)
    refuse(403, "rpc: cross-site request");
  return !no && !foreign;
}

void server_connection::dispatch(std::string_view path, std::string_view body) {
  const bool posted = reader_.head().method == "POST";
  const auto handler = what_.paths.find(path);
  const bool called = path == what_.rpc_path;
  if (!called && handler == what_.paths.end())
    return refuse(404, "404 page not found");
  if (!posted)
    return refuse(405, "rpc: POST method required, received " + std::string{reader_.head().method});
  job_ = job_of(header(job_header));
  if (called)
    return call(body);
  answer_http(handler->second, body);
}

void server_connection::call(std::string_view body) {
  const auto type = header("content-type");
  if (media_type(type) != "application/json")
    return refuse(415, "rpc: unrecognized Content-Type: " + std::string{type});
  std::string answer;
  try {
    answer = what_.methods.answer(body, *this) + '\n';
  } catch (const failure& e) {
    return refuse(400, e.message());
  } catch (const std::exception&) {
    return refuse(500, "rpc: internal error");
  }
  send_text(200, "application/json; charset=utf-8", answer);
}

void server_connection::answer_http(const served::http_handler& handler, std::string_view body) {
  http_answer answer;
  try {
    answer = handler(body);
  } catch (const std::exception& e) {
    return refuse(500, e.what());
  }
  if (!answer.stream)
    return send_text(answer.status, text_type, answer.text);
  if (const stream_place place{what_})
    send_stream(answer);
  else
    send_text(503, text_type, "rpc: too many streams at a time\n");
}

std::string server_connection::head(int status, std::string_view type, std::int64_t length, bool chunked) const {
  std::string out;
  http1::append_status_line(out, status);
  http1::append_field(out, "Content-Type", type);
  if (chunked)
    http1::append_field(out, "Transfer-Encoding", "chunked");
  else if (length >= 0 && !http1::is_bodiless(status))
    http1::append_field(out, "Content-Length", std::to_string(length));
  if (!keep_)
    http1::append_field(out, "Connection", "close");
  else if (reader_.head().http_1_0)
    http1::append_field(out, "Connection", "keep-alive");
  out += "\r\n";
  return out;
}

void server_connection::send_text(int status, std::string_view type, std::string_view body) {
  auto out = head(status, type, static_cast<std::int64_t>(body.size()), false);
  if (reader_.head().method != "HEAD" && !http1::is_bodiless(status))
    out += body;
  keep_ = stream_.send(out) && keep_;
}

void server_connection::send_stream(const http_answer& answer) {
  const bool chunked = answer.length < 0 && !reader_.head().http_1_0;
  // Only the end of the connection ends what has neither length nor chunks.
  keep_ = keep_ && (chunked || answer.length >= 0);
  const bool whole = stream_.send(head(answer.status, stream_type, answer.length, chunked)) &&
                     stream_once(answer, chunked, stream_) && (!chunked || stream_.send("0\r\n\r\n"));
  keep_ = keep_ && whole;
}

} // namespace mistify::rpc
