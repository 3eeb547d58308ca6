#include "rpc/client/http_exchange.hpp"

#include "rpc/http1/answer_body.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/http1/head_writer.hpp"
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

/// Appends the path of a request's target: what may not stand in one (RFC 3986, section 3.3) as %XX.
void append_path(std::string& out, std::string_view path) {
  constexpr std::string_view digits = "0123456789ABCDEF", forbidden = "\"<>\\^`{|}#";
  for (const char c : path) {
    if (c > ' ' && c < 0x7f && forbidden.find(c) == forbidden.npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
}

} // namespace

std::string refusal(int status, std::string_view body) {
  const auto text = trimmed(body.substr(0, error_text));
  return text.empty() ? "HTTP status " + std::to_string(status) : std::string{text};
}

std::string unexpected(int status) {
  return "unexpected HTTP status " + std::to_string(status);
}

post_writer::post_writer(const endpoint& to) : same_{"POST "} {
  append_path(same_, to.path);
  same_ += " HTTP/1.1\r\n";
  http1::append_field(same_, "Host", to.host + ':' + std::to_string(to.port));
  http1::append_field(same_, "Accept", "*/*");
  http1::append_field(same_, "Content-Type", "application/json");
  http1::append_field(same_, "User-Agent", "mistify-agent/" MISTIFY_VERSION);
}

std::string post_writer::text(std::string_view body, const call_context& whom) const {
  constexpr std::size_t names = 100; // and what belongs to them
  std::string out;
  out.reserve(same_.size() + whom.request_id.size() + whom.job_id.size() + body.size() + names);
  out += same_;
  http1::append_field(out, "Content-Length", std::to_string(body.size()));
  if (!whom.request_id.empty())
    http1::append_field(out, "X-Request-ID", whom.request_id);
  if (!whom.job_id.empty())
    http1::append_field(out, job_header, whom.job_id);
  out.append("\r\n").append(body); // `return out.append(…)` would copy
  return out;
}

std::unique_ptr<socket_stream> exchange::connect(connection_pool& pool) const {
  expect_going();
  if (auto kept = pool.take())
    return kept;
  const auto connect_until = std::min(until, deadline_after(to.connect_timeout));
  auto result = to.socket.empty() ? tcp_connect(to.host, to.port, connect_until, cancel)
                                  : unix_connect(to.socket, connect_until, cancel);
  if (!result.fd)
    fail_to_connect(result.error);
  expect_owner(result.fd);
  return std::make_unique<socket_stream>(std::move(result.fd));
}

bool exchange::send(socket_stream& on, std::string_view request) const {
  const auto guard = cancel.on_cancel([&on] { on.abort(); });
  return on.send(request);
}

bool exchange::read_head(socket_stream& on) {
  constexpr int most_interim = 10;
  const auto guard = cancel.on_cancel([&on] { on.abort(); });
  for (int i = 0; i <= most_interim; ++i) {
    const auto text = http1::take_head(on);
    if (!text)
      return false;
    head = http1::parse_answer_head(*text);
    unsound = head.sound && !head.has_one_end();
    if (!head.sound || unsound)
      return false;
    if (!head.is_interim())
      return head.status >= 200;
  }
  return false;
}

bool exchange::read_body(socket_stream& on, const std::function<bool(std::string_view bytes)>& on_data) const {
  const auto guard = cancel.on_cancel([&on] { on.abort(); });
  return http1::read_body(on, head, on_data);
}

void exchange::hand_back(connection_pool& pool, std::unique_ptr<socket_stream> on) const {
  if (head.keeps_alive() && on->why() == fault::none)
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
    throw failure{errc::sub_agent_unreachable, "the socket belongs to another user (" + to_string(to) + ')'};
}

void exchange::fail_to_connect(int error) const {
  expect_going();
  const auto where = " (" + to_string(to) + ')';
  if (error == ETIMEDOUT && std::chrono::steady_clock::now() >= until)
    throw failure{errc::sub_agent_timeout, "no answer within " + in_words(timeout)};
  if (error == ETIMEDOUT)
    throw failure{errc::sub_agent_unreachable, "no connection within " + in_words(to.connect_timeout) + where};
  if (error == ECONNREFUSED || error == ENOENT)
    throw failure{errc::sub_agent_unreachable, "connection refused" + where};
  throw failure{errc::sub_agent_unreachable, "cannot connect: " + std::generic_category().message(error) + where};
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
  throw failure{errc::sub_agent_unreachable, "connection dropped before a whole answer"};
}

json::document take_result(exchange& x, std::unique_ptr<socket_stream> on, connection_pool& pool) {
  const auto limit = x.to.max_answer;
  std::string text;
  bool whole = x.read_head(*on);
  x.too_long = x.head.length.value_or(0) > limit;
  if (whole && !x.too_long) {
    // Chunks of a byte have five of framing: bodies are counted below, this bounds what is around them.
    on->allow(8 * std::min(limit, SIZE_MAX / 8));
    whole = x.read_body(*on, [&](std::string_view bytes) {
      x.too_long = bytes.size() > limit - text.size();
      if (!x.too_long)
        text += bytes;
      return !x.too_long;
    });
  }
  if (!whole)
    x.expect_going();
  if (x.head.status >= 400 && !x.too_long && !x.unsound && on->why() != fault::too_late)
    throw failure{errc::sub_agent_failed, refusal(x.head.status, text)};
  if (!whole || x.too_long)
    x.fail(on->why());
  if (x.head.status < 200 || x.head.status >= 300)
    throw failure{errc::sub_agent_failed, unexpected(x.head.status)};
  const auto answer = decode_answer(text, x.id);
  x.hand_back(pool, std::move(on));
  return result_in(answer);
}

} // namespace mistify::rpc
