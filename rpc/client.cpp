#include "rpc/client.hpp"

#include "rpc/codec.hpp"
#include "rpc/connection_pool.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <strings.h>
#include <system_error>

namespace mistify::rpc {

namespace {

/// What the head of an answer may take on top of its body.
constexpr std::size_t head_budget = 64 * 1024;
/// How much text of an error answer is kept.
constexpr std::size_t error_text = 64 * 1024;
/// Pieces that a download is handed on in. The engine's of 4 KiB, each copied and sent by itself, came to a fifth of
/// what the source could do.
constexpr std::size_t download_buffer = 256 * 1024;

using milliseconds = std::chrono::milliseconds;
using fault = socket_stream::fault;

std::string in_words(milliseconds time) {
  if (time.count() % 1000 == 0)
    return std::to_string(time.count() / 1000) + 's';
  return std::to_string(time.count()) + "ms";
}

std::string in_words(std::size_t bytes) {
  constexpr std::size_t mib = 1024 * 1024;
  return bytes % mib == 0 ? std::to_string(bytes / mib) + " MiB" : std::to_string(bytes) + " bytes";
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  return first == text.npos ? std::string_view{} : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string refusal(int status, std::string_view body) {
  const auto text = trimmed(body.substr(0, error_text));
  return text.empty() ? "HTTP status " + std::to_string(status) : std::string{text};
}

bool is_chunked(const httplib::Response& answer) {
  return ::strcasecmp(answer.get_header_value("Transfer-Encoding").c_str(), "chunked") == 0;
}

bool keeps_alive(const httplib::Response& answer) {
  return answer.version == "HTTP/1.1" && ::strcasecmp(answer.get_header_value("Connection").c_str(), "close") != 0;
}

std::int64_t length_of(const httplib::Response& answer) {
  if (is_chunked(answer) || !answer.has_header("Content-Length"))
    return -1;
  const auto length = answer.get_header_value<std::uint64_t>("Content-Length");
  return static_cast<std::int64_t>(std::min<std::uint64_t>(length, INT64_MAX));
}

httplib::Request post(const std::string& path, std::string body, std::string_view request_id) {
  httplib::Request request;
  request.method = "POST";
  request.path = path;
  request.body = std::move(body);
  request.headers = {{"Content-Type", "application/json"}, {"User-Agent", "mistify-agent/" MISTIFY_VERSION}};
  if (!request_id.empty())
    request.headers.emplace("X-Request-ID", request_id);
  return request;
}

/// One exchange on one connection, from taking the connection to the last byte.
struct exchange {
  const endpoint& to;
  const cancellation& cancel;
  milliseconds timeout;
  deadline until = deadline_after(timeout);
  httplib::Response answer = {};
  bool too_long = false;

  std::unique_ptr<connection> connect(connection_pool& pool) const;
  bool run(connection& on, httplib::Request& request);
  bool pump(connection& on, std::size_t left, const download_sink& sink) const;
  bool relay(connection& on, std::size_t left, const download_sink& sink) const;
  void hand_back(connection_pool& pool, std::unique_ptr<connection> on) const {
    if (keeps_alive(answer) && on->stream.why() == fault::none)
      pool.keep(std::move(on));
  }
  [[noreturn]] void fail(fault why) const;
  [[noreturn]] void fail_to_connect(int error) const;
  void expect_going() const {
    if (cancel.cancelled())
      throw failure{errc::cancelled, "cancelled"};
  }
};

std::unique_ptr<connection> exchange::connect(connection_pool& pool) const {
  expect_going();
  if (auto kept = pool.take())
    return kept;
  auto result = tcp_connect(to.host, to.port, std::min(until, deadline_after(to.connect_timeout)), cancel);
  if (!result.fd)
    fail_to_connect(result.error);
  return std::make_unique<connection>(to.host, to.port, std::move(result.fd));
}

/// Sends the request and takes the answer; true if that came to a proper end.
bool exchange::run(connection& on, httplib::Request& request) {
  const auto guard = cancel.on_cancel([&on] { on.stream.abort(); });
  auto error = httplib::Error::Success;
  const bool read = on.process_request(on.stream, request, answer, false, error);
  // The engine takes a chunk that is not followed by a line end for the last one.
  return read && (!is_chunked(answer) || on.stream.ended_with("\r\n\r\n"));
}

/// Hands on the rest of an answer, of which so many bytes are to come, as it comes, off the socket itself if the sink
/// relays; true if that came to a proper end.
bool exchange::pump(connection& on, std::size_t left, const download_sink& sink) const {
  const auto guard = cancel.on_cancel([&on] { on.stream.abort(); });
  if (!sink.relay)
    on.stream.use_buffer(download_buffer);
  while (left > 0) {
    if (sink.relay && !on.stream.holds_bytes())
      return relay(on, left, sink);
    const auto bytes = on.stream.next(left);
    if (bytes.empty() || !sink.data(bytes))
      return false;
    left -= bytes.size();
  }
  if (!sink.relay)
    on.stream.use_buffer(socket_stream::usual_buffer); // it may be kept for long
  return true;
}

bool exchange::relay(connection& on, std::size_t left, const download_sink& sink) const {
  while (left > 0) {
    const auto n = on.stream.pass([&](int from) -> ssize_t {
      if (const auto taken = sink.relay(from, left))
        return *taken;
      errno = EPIPE; // the receiver has gone, which it will say again
      return -1;
    });
    if (n == 0)
      return false;
    left -= n;
  }
  return true;
}

void exchange::fail_to_connect(int error) const {
  expect_going();
  const auto where = " (" + to.host + ':' + std::to_string(to.port) + ')';
  if (error == ETIMEDOUT && std::chrono::steady_clock::now() >= until)
    throw failure{errc::sub_agent_timeout, "no answer within " + in_words(timeout)};
  if (error == ETIMEDOUT)
    throw failure{errc::sub_agent_failed, "no connection within " + in_words(to.connect_timeout) + where};
  if (error == ECONNREFUSED)
    throw failure{errc::sub_agent_failed, "connection refused" + where};
  throw failure{errc::sub_agent_failed, "cannot connect: " + std::generic_category().message(error) + where};
}

void exchange::fail(fault why) const {
  expect_going();
  if (why == fault::too_late)
    throw failure{errc::sub_agent_timeout, "no answer within " + in_words(timeout)};
  if (too_long || why == fault::budget)
    throw failure{errc::sub_agent_failed, "answer over " + in_words(to.max_answer)};
  if (why == fault::none)
    throw failure{errc::sub_agent_failed, "answer is no HTTP"};
  throw failure{errc::sub_agent_failed, "connection dropped before a whole answer"};
}

/// Appends to a text as much as fits; false when not everything did.
bool append(std::string& text, std::string_view bytes, std::size_t limit) {
  text.append(bytes.substr(0, limit - text.size()));
  return text.size() < limit;
}

} // namespace

struct client::impl {
  explicit impl(endpoint e) : to{std::move(e)} {}

  const endpoint to;
  connection_pool pool;
  std::atomic<std::uint64_t> last_id{0};

  std::string call(std::string request, milliseconds timeout, const cancellation& cancel, std::string_view request_id);
  download_end download(std::string request, milliseconds stall, const cancellation& cancel, const download_sink& sink,
                        std::string_view request_id);
};

std::string client::impl::call(std::string body, milliseconds timeout, const cancellation& cancel,
                               std::string_view request_id) {
  exchange x{to, cancel, timeout};
  auto on = x.connect(pool);
  std::string text;
  auto request = post(to.path, std::move(body), request_id);
  request.response_handler = [&](const httplib::Response& head) {
    x.too_long = length_of(head) > static_cast<std::int64_t>(to.max_answer);
    // Chunks of a byte have five of framing: bodies are counted below, this bounds what is around them.
    on->stream.allow(8 * std::min(to.max_answer, SIZE_MAX / 8));
    return !x.too_long;
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    x.too_long = size > to.max_answer - text.size();
    if (!x.too_long)
      text.append(data, size);
    return !x.too_long;
  };
  on->stream.begin(x.until, head_budget);
  const bool whole = x.run(*on, request);
  if (!whole)
    x.expect_going();
  if (x.answer.status >= 400 && !x.too_long && on->stream.why() != fault::too_late)
    throw failure{errc::sub_agent_failed, refusal(x.answer.status, text)};
  if (!whole)
    x.fail(on->stream.why());
  if (x.answer.status >= 300)
    throw failure{errc::sub_agent_failed, "unexpected HTTP status " + std::to_string(x.answer.status)};
  x.hand_back(pool, std::move(on));
  return decode_result(text);
}

download_end client::impl::download(std::string body, milliseconds stall, const cancellation& cancel,
                                    const download_sink& sink, std::string_view request_id) {
  exchange x{to, cancel, stall};
  auto on = x.connect(pool);
  bool began = false, stopped = false;
  std::int64_t length = -1;
  std::string text;
  // What the sink is handed, noted: whether it goes on, and that the source does.
  download_sink noted{sink.begin, [&](std::string_view bytes) {
                        stopped = !sink.data(bytes);
                        on->stream.extend(deadline_after(stall));
                        return !stopped;
                      }};
  if (sink.relay)
    noted.relay = [&](int from, std::size_t most) {
      const auto n = sink.relay(from, most);
      stopped = !n;
      if (!n || *n > 0)
        on->stream.extend(deadline_after(stall));
      return n;
    };
  auto request = post(to.path, std::move(body), request_id);
  request.response_handler = [&](const httplib::Response& head) {
    if (head.status == 200) {
      began = true;
      on->stream.allow(SIZE_MAX);
      length = length_of(head);
      sink.begin(length);
      on->stream.extend(deadline_after(stall));
    } else {
      on->stream.allow(8 * error_text);
    }
    return length < 0; // else the engine stops here, and the rest is pumped
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    if (!began)
      return append(text, {data, size}, error_text);
    return noted.data({data, size});
  };
  on->stream.begin(x.until, head_budget);
  bool whole = x.run(*on, request);
  if (length >= 0)
    whole = x.pump(*on, static_cast<std::size_t>(length), noted);
  if (!began) {
    x.expect_going();
    // A refusal counts even where its text did not come to an end.
    if (x.answer.status > 0 && x.answer.status != 200 && on->stream.why() != fault::too_late)
      throw download_refused{x.answer.status, refusal(x.answer.status, text)};
    x.fail(on->stream.why());
  }
  if (stopped || cancel.cancelled())
    return download_end::stopped;
  if (whole)
    x.hand_back(pool, std::move(on));
  return whole ? download_end::complete : download_end::broken;
}

download_refused::download_refused(int status, const std::string& text)
  : failure{errc::sub_agent_failed, text}, status_{status} {}

client::client(endpoint to) : impl_{std::make_unique<impl>(std::move(to))} {}

client::~client() = default;

std::string client::call(std::string_view method, std::string_view params, std::chrono::milliseconds timeout,
                         const cancellation& cancel, std::string_view request_id) {
  return impl_->call(encode_call(method, params, impl_->last_id++), timeout, cancel, request_id);
}

download_end client::download(std::string_view request, std::chrono::milliseconds stall, const cancellation& cancel,
                              const download_sink& sink, std::string_view request_id) {
  return impl_->download(std::string{request}, stall, cancel, sink, request_id);
}

const endpoint& client::to() const noexcept {
  return impl_->to;
}

} // namespace mistify::rpc
