#include "rpc/kit/server_connection.hpp"

#include <algorithm>

namespace mistify::rpc {

namespace {

constexpr std::chrono::seconds request_time{30};
constexpr std::chrono::seconds write_time{30};
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

/// Whoever reads it may make a path of it.
std::string job_of(const httplib::Request& request) {
  constexpr std::size_t longest = 64;
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) || c == '-'; };
  auto id = request.get_header_value(job_header);
  return id.size() <= longest && std::all_of(id.begin(), id.end(), is_plain) ? id : std::string{};
}

/// True when the stream came to its end with exactly `length` bytes (-1: any number).
bool stream_once(const std::function<bool(const http_answer::sink&)>& stream, std::int64_t length,
                 httplib::DataSink& to, socket_stream& socket) {
  std::uint64_t written = 0;
  const auto limit = static_cast<std::uint64_t>(length); // -1 is no limit
  const auto fits = [&](std::size_t size) {
    const bool does = size <= limit - written;
    written += does ? size : 0;
    return does;
  };
  const auto bytes = [&](std::string_view b) { return fits(b.size()) && (b.empty() || to.write(b.data(), b.size())); };
  const auto file = [&](int fd, std::uint64_t offset, std::size_t size) {
    if (!fits(size))
      return false;
    // The engine only counts: the socket takes the bytes from the file.
    socket.next_write_is(fd, offset);
    return size == 0 || to.write("", size);
  };
  try {
    // In chunks, the engine puts its own bytes between those of the stream.
    return stream(length < 0 ? http_answer::sink{bytes} : http_answer::sink{bytes, file}) &&
           (length < 0 || written == limit);
  } catch (const std::exception&) {
    return false; // the head is out: breaking off is the only way left to tell
  }
}

} // namespace

server_connection::server_connection(unique_fd fd, const served& what) : what_{what}, stream_{std::move(fd)} {
  stream_.bound_writes(write_time);
  svr_sock_ = stream_.socket();     // without one the engine takes itself for shutting down and streams nothing
  set_keep_alive_max_count(100000); // only told to the other end
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    if (request.method ==
        "POST") // judged once the body is read: a connection that closes with unread bytes loses the answer
      return HandlerResponse::Unhandled;
    if (!admits(request, response))
      return HandlerResponse::Handled;
    if (request.path == what_.rpc_path || what_.paths.contains(request.path))
      refuse(response, 405, "rpc: POST method required, received " + request.method);
    else
      refuse(response, 404, "404 page not found");
    return HandlerResponse::Handled;
  });
  Post("[^]*", [this](const httplib::Request& request, httplib::Response& response,
                      const httplib::ContentReader& reader) { post(request, response, reader); });
  // Handlers' exceptions are answered where they are called: this is what comes from the engine.
  set_exception_handler([this](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
    refuse(response, 500, "rpc: internal error");
  });
}

bool server_connection::wait_for_request(deadline until) {
  await_client();
  return stream_.wait(until);
}

bool server_connection::serve_request() {
  keep_ = false;
  await_client();
  stream_.begin(deadline_after(request_time), head_budget);
  bool closed = false;
  const bool served = process_request(stream_, false, closed, [this](httplib::Request& request) {
    // The engine would answer many overlapping ranges with many times the answer.
    request.ranges.clear();
    request.headers.erase("Range");
    // The head is read. Chunks of a byte have five of framing.
    stream_.allow(8 * std::min(what_.max_body, SIZE_MAX / 8));
  });
  return stream_.flush() && served && !closed && keep_;
}

void server_connection::refuse(httplib::Response& response, int status, std::string text) {
  response.status = status;
  response.set_content(text + '\n', text_type);
  response.set_header("Connection", "close");
  keep_ = false;
}

/// False, and answered, where the request is not for this server, or comes from a web page.
bool server_connection::admits(const httplib::Request& request, httplib::Response& response) {
  const auto host = request.get_header_value("Host");
  const auto no = what_.door.refuse({.target = request.target,
                                     .host = host,
                                     .hosts = request.get_header_value_count("Host"),
                                     .http_1_0 = request.version == "HTTP/1.0"});
  const auto header = [&](const char* name, std::string& value) -> std::optional<std::string_view> {
    if (!request.has_header(name))
      return std::nullopt;
    for (std::size_t i = 0, n = request.get_header_value_count(name); i < n; ++i)
      value.append(i == 0 ? "" : ", ").append(request.get_header_value(name, i));
    return value;
  };
  std::string site, origin;
  if (no)
    refuse(response, no->status, "rpc: " + std::string{no->message});
  else if (is_cross_site({header("Sec-Fetch-Site", site), header("Origin", origin)}, host))
    refuse(response, 403, "rpc: cross-site request");
  return response.status < 400;
}

bool server_connection::read_body(const httplib::ContentReader& reader, std::string& body,
                                  httplib::Response& response) {
  bool too_large = false;
  const bool read = reader([&](const char* data, std::size_t size) {
    too_large = size > what_.max_body - body.size();
    if (!too_large)
      body.append(data, size);
    return !too_large;
  });
  keep_ = read;
  if (!read)
    refuse(response, too_large ? 413 : 400, too_large ? "rpc: request too large" : "rpc: request broken off");
  return read;
}

void server_connection::post(const httplib::Request& request, httplib::Response& response,
                             const httplib::ContentReader& reader) {
  std::string body;
  const bool read = read_body(reader, body, response);
  awaits_since_ = nothing_awaited;
  if (!read || !admits(request, response))
    return;
  if (request.path == what_.rpc_path) {
    job_ = job_of(request);
    return call(request.get_header_value("Content-Type"), body, response);
  }
  const auto handler = what_.paths.find(request.path);
  if (handler == what_.paths.end())
    return refuse(response, 404, "404 page not found");
  answer_http(handler->second, body, response);
}

void server_connection::call(const std::string& content_type, std::string_view body, httplib::Response& response) {
  if (media_type(content_type) != "application/json")
    return refuse(response, 415, "rpc: unrecognized Content-Type: " + content_type);
  try {
    response.set_content(what_.methods.answer(body, *this) + '\n', "application/json; charset=utf-8");
  } catch (const failure& e) {
    refuse(response, 400, e.message());
  }
}

void server_connection::answer_http(const served::http_handler& handler, std::string_view body,
                                    httplib::Response& response) {
  http_answer answer;
  try {
    answer = handler(body);
  } catch (const std::exception& e) {
    return refuse(response, 500, e.what());
  }
  response.status = answer.status;
  if (!answer.stream)
    return response.set_content(answer.text, text_type);
  const auto length = answer.length;
  // The engine asks again and again until it has all bytes; a stream has one go.
  const auto send = [this, length, stream = std::move(answer.stream)](httplib::DataSink& to) {
    keep_ = keep_ && stream_once(stream, length, to, stream_);
    return keep_;
  };
  if (length >= 0)
    return response.set_content_provider(static_cast<std::size_t>(length), stream_type,
                                         [send](std::size_t, std::size_t, httplib::DataSink& to) { return send(to); });
  response.set_chunked_content_provider(stream_type, [send](std::size_t, httplib::DataSink& to) {
    if (!send(to))
      return false;
    to.done();
    return true;
  });
}

} // namespace mistify::rpc
