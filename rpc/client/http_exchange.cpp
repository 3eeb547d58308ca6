#include "rpc/client/http_exchange.hpp"

#include "rpc/http1/grammar.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/net/unix_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace mistify::rpc {

namespace {

using fault = socket_stream::fault;

std::string in_words(std::chrono::milliseconds time) {
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

/// What a request says of its sender.
template <class Put>
void put_headers(const call_context& whom, const Put& put) {
  put("Content-Type", "application/json");
  put("User-Agent", "mistify-agent/" MISTIFY_VERSION);
  if (!whom.request_id.empty())
    put("X-Request-ID", whom.request_id);
  if (!whom.job_id.empty())
    put(job_header, whom.job_id);
}

bool is_chunked(const httplib::Response& answer) {
  return text::equal_ignoring_case(answer.get_header_value("Transfer-Encoding"), "chunked");
}

/// True if every reader finds the same end (RFC 9112, section 6.3): one length or one chunked coding at most.
bool has_one_end(const httplib::Response& answer) {
  const auto lengths = answer.get_header_value_count("Content-Length");
  const auto codings = answer.get_header_value_count("Transfer-Encoding");
  if (lengths + codings > 1 || (codings == 1 && !is_chunked(answer)))
    return false;
  constexpr std::size_t most_digits = 18; // a signed 64-bit number holds them
  const auto length = answer.get_header_value("Content-Length");
  return lengths == 0 ||
         (!length.empty() && length.size() <= most_digits && std::all_of(length.begin(), length.end(), text::is_digit));
}

/// Passed over (RFC 9110, section 15.2), but for 101, which would change the protocol.
bool is_interim(int status) {
  return status > 100 && status < 200 && status != 101;
}

bool keeps_alive(const httplib::Response& answer) {
  return answer.version == "HTTP/1.1" && !text::equal_ignoring_case(answer.get_header_value("Connection"), "close");
}

} // namespace

std::string refusal(int status, std::string_view body) {
  const auto text = trimmed(body.substr(0, error_text));
  return text.empty() ? "HTTP status " + std::to_string(status) : std::string{text};
}

std::string unexpected(int status) {
  return "unexpected HTTP status " + std::to_string(status);
}

std::int64_t length_of(const httplib::Response& answer) {
  if (is_chunked(answer) || !answer.has_header("Content-Length"))
    return -1;
  const auto length = answer.get_header_value<std::uint64_t>("Content-Length");
  return static_cast<std::int64_t>(std::min<std::uint64_t>(length, INT64_MAX));
}

httplib::Request post_to(const endpoint& to, std::string body, const call_context& whom) {
  httplib::Request request;
  request.method = "POST";
  request.path = to.path;
  request.body = std::move(body);
  put_headers(whom, [&](const char* name, std::string_view value) { request.headers.emplace(name, value); });
  return request;
}

std::string text_of_post(const endpoint& to, std::string_view body, const call_context& whom) {
  std::string out = "POST ";
  out.append(to.path).append(" HTTP/1.1\r\nHost: ").append(to.host).append(":").append(std::to_string(to.port));
  out.append("\r\nAccept: */*\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
  put_headers(whom, [&](const char* name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  });
  return out.append("\r\n").append(body);
}

std::unique_ptr<connection> exchange::connect(connection_pool& pool) const {
  expect_going();
  if (auto kept = pool.take())
    return kept;
  const auto connect_until = std::min(until, deadline_after(to.connect_timeout));
  auto result = to.socket.empty() ? tcp_connect(to.host, to.port, connect_until, cancel)
                                  : unix_connect(to.socket, connect_until, cancel);
  if (!result.fd)
    fail_to_connect(result.error);
  expect_owner(result.fd);
  return std::make_unique<connection>(to.host, to.port, std::move(result.fd));
}

bool exchange::run(connection& on, httplib::Request& request) {
  constexpr int most_interim = 10;
  const auto guard = cancel.on_cancel([&on] { on.stream.abort(); });
  const auto judge = std::move(request.response_handler);
  request.response_handler = [&](const httplib::Response& head) {
    unsound = !has_one_end(head);
    return !unsound && head.status >= 200 && (!judge || judge(head));
  };
  auto error = httplib::Error::Success;
  bool read = on.process_request(on.stream, request, answer, false, error);
  for (int i = 0; i < most_interim && error == httplib::Error::Canceled && is_interim(answer.status) && !unsound; ++i) {
    // The engine stopped behind the head: the next one follows.
    answer = {};
    on.stream.next_was_sent();
    read = on.process_request(on.stream, request, answer, false, error = httplib::Error::Success);
  }
  // The engine takes a chunk that is not followed by a line end for the last one.
  return read && (!is_chunked(answer) || on.stream.ended_with("\r\n\r\n"));
}

void exchange::hand_back(connection_pool& pool, std::unique_ptr<connection> on) const {
  if (keeps_alive(answer) && on->stream.why() == fault::none)
    pool.keep(std::move(on));
}

void exchange::expect_going() const {
  if (cancel.cancelled())
    throw failure{errc::cancelled, "cancelled"};
}

/// A user who took the place of the socket must not be believed.
void exchange::expect_owner(const unique_fd& fd) const {
  if (to.socket.empty() || to.owners.empty())
    return;
  const auto owner = peer_user(fd.get());
  if (!owner || std::find(to.owners.begin(), to.owners.end(), *owner) == to.owners.end())
    throw failure{errc::sub_agent_failed, "the socket belongs to another user (" + to_string(to) + ')'};
}

void exchange::fail_to_connect(int error) const {
  expect_going();
  const auto where = " (" + to_string(to) + ')';
  if (error == ETIMEDOUT && std::chrono::steady_clock::now() >= until)
    throw failure{errc::sub_agent_timeout, "no answer within " + in_words(timeout)};
  if (error == ETIMEDOUT)
    throw failure{errc::sub_agent_failed, "no connection within " + in_words(to.connect_timeout) + where};
  if (error == ECONNREFUSED || error == ENOENT)
    throw failure{errc::sub_agent_failed, "connection refused" + where};
  throw failure{errc::sub_agent_failed, "cannot connect: " + std::generic_category().message(error) + where};
}

void exchange::fail(fault why) const {
  expect_going();
  if (why == fault::too_late)
    throw failure{errc::sub_agent_timeout, "no answer within " + in_words(timeout)};
  if (too_long || why == fault::budget)
    throw failure{errc::sub_agent_failed, "answer over " + in_words(to.max_answer)};
  if (unsound)
    throw failure{errc::sub_agent_failed, "answer leaves open where it ends"};
  if (why == fault::none)
    throw failure{errc::sub_agent_failed, "answer is no HTTP"};
  throw failure{errc::sub_agent_failed, "connection dropped before a whole answer"};
}

std::string take_result(exchange& x, httplib::Request& request, std::unique_ptr<connection> on, connection_pool& pool) {
  const auto limit = x.to.max_answer;
  std::string text;
  request.response_handler = [&](const httplib::Response& head) {
    x.too_long = length_of(head) > static_cast<std::int64_t>(limit);
    // Chunks of a byte have five of framing: bodies are counted below, this bounds what is around them.
    on->stream.allow(8 * std::min(limit, SIZE_MAX / 8));
    return !x.too_long;
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    x.too_long = size > limit - text.size();
    if (!x.too_long)
      text.append(data, size);
    return !x.too_long;
  };
  const bool whole = x.run(*on, request);
  if (!whole)
    x.expect_going();
  if (x.answer.status >= 400 && !x.too_long && !x.unsound && on->stream.why() != fault::too_late)
    throw failure{errc::sub_agent_failed, refusal(x.answer.status, text)};
  if (!whole)
    x.fail(on->stream.why());
  if (x.answer.status < 200 || x.answer.status >= 300)
    throw failure{errc::sub_agent_failed, unexpected(x.answer.status)};
  x.hand_back(pool, std::move(on));
  return decode_result(text);
}

} // namespace mistify::rpc
