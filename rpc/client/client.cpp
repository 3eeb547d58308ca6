#include "rpc/client/client.hpp"

#include "rpc/client/async_call.hpp"
#include "rpc/client/http_exchange.hpp"
#include "rpc/model/codec.hpp"

#include <atomic>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace mistify::rpc {

namespace {

/// Bytes of the pieces that a download is handed on in. Pieces of 4 KiB, each copied and sent by itself, came to a
/// fifth of the source's own rate.
constexpr std::size_t download_buffer = 256 * 1024;

/// What the kernel may keep of a download that is relayed. Left to itself it lets this grow to 32 MiB, over which the
/// bytes are out of the caches by the time they are passed on: 1 GiB on two cores came to 0.55 of the source's own rate
/// so, and to 0.74 with this (medians of seven; etc/bench.sh download).
constexpr int relay_window = 256 * 1024;

using milliseconds = std::chrono::milliseconds;

void bound_window(const socket_stream& on) {
  ::setsockopt(on.socket(), SOL_SOCKET, SO_RCVBUF, &relay_window, sizeof relay_window); // or what Linux allows
}

bool relay(socket_stream& on, std::size_t left, const download_sink& sink) {
  while (left > 0) {
    const auto n = on.pass([&](int from) -> ssize_t {
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

/// Hands on the rest of an answer, of which so many bytes are to come, as it comes, off the socket itself if the sink
/// relays; true if that came to a proper end.
bool pump(const exchange& x, socket_stream& on, std::size_t left, const download_sink& sink) {
  const auto guard = x.cancel.on_cancel([&on] { on.abort(); });
  if (!sink.relay)
    on.use_buffer(download_buffer);
  while (left > 0) {
    if (sink.relay && !on.holds_bytes())
      return relay(on, left, sink);
    const auto bytes = on.next(left);
    if (bytes.empty() || !sink.data(bytes))
      return false;
    left -= bytes.size();
  }
  if (!sink.relay)
    on.use_buffer(socket_stream::usual_buffer); // it may be kept for long
  return true;
}

/// Appends to a text as much as fits; false when not everything did.
bool append(std::string& text, std::string_view bytes, std::size_t limit) {
  text.append(bytes.substr(0, limit - text.size()));
  return text.size() < limit;
}

} // namespace

struct client::impl {
  explicit impl(endpoint e) : to{std::move(e)}, post{to} {}

  const endpoint to;
  const post_writer post;
  connection_pool pool;
  std::atomic<std::uint64_t> next_id{1}; // an answer with id 0 fits any call, so no call is 0

  download_end download(std::string_view request, const download_times& times, const cancellation& cancel,
                        const download_sink& sink, const call_context& whom);
};

namespace {

/// Throws what a download fails with that has not begun.
[[noreturn]] void refuse_download(exchange& x, socket_stream& on, bool has_head) {
  std::string text;
  if (has_head) {
    on.allow(8 * error_text);
    x.read_body(on, [&](std::string_view bytes) { return append(text, bytes, error_text); });
  }
  x.expect_going();
  // A refusal counts even where its text did not come to an end.
  const auto status = x.head.status;
  if (status == 0 || status == 200 || x.unsound || on.why() == socket_stream::fault::too_late)
    x.fail(on.why());
  if (status >= 400 && status < 600)
    throw download_refused{status, refusal(status, text)};
  throw failure{errc::sub_agent_failed, unexpected(status)}; // for a client it would mean something else, or nothing
}

/// `sink`, noting when it stops the download, and giving the source more time with each piece.
download_sink noting(const download_sink& sink, socket_stream& on, milliseconds stall, bool& stopped) {
  download_sink noted{sink.begin, [&on, &sink, &stopped, stall](std::string_view bytes) {
                        stopped = !sink.data(bytes);
                        on.extend(deadline_after(stall));
                        return !stopped;
                      }};
  if (sink.relay)
    noted.relay = [&on, &sink, &stopped, stall](int from, std::size_t most) {
      const auto n = sink.relay(from, most);
      stopped = !n;
      if (!n || *n > 0)
        on.extend(deadline_after(stall));
      return n;
    };
  return noted;
}

} // namespace

download_end client::impl::download(std::string_view request, const download_times& times, const cancellation& cancel,
                                    const download_sink& sink, const call_context& whom) {
  exchange x{to, cancel, times.head};
  auto on = x.connect(pool);
  if (sink.relay)
    bound_window(*on);
  on->begin(x.until, head_budget);
  const bool has_head = x.send(*on, post.text(request, whom)) && x.read_head(*on);
  if (!has_head || x.head.status != 200)
    refuse_download(x, *on, has_head);
  bool stopped = false;
  const auto noted = noting(sink, *on, times.piece, stopped);
  on->allow(SIZE_MAX);
  sink.begin(x.head.length ? static_cast<std::int64_t>(*x.head.length) : -1);
  on->extend(deadline_after(times.piece));
  const bool whole = x.head.length ? pump(x, *on, *x.head.length, noted) : x.read_body(*on, noted.data);
  if (stopped || cancel.cancelled())
    return download_end::stopped;
  if (whole)
    x.hand_back(pool, std::move(on));
  return whole ? download_end::complete : download_end::broken;
}

std::string to_string(const endpoint& where) {
  return where.socket.empty() ? where.host + ':' + std::to_string(where.port) : "unix:" + where.socket;
}

download_refused::download_refused(int status, const std::string& text)
  : failure{errc::sub_agent_failed, text}, status_{status} {}

client::client(endpoint to) : impl_{std::make_unique<impl>(std::move(to))} {}

client::~client() = default;

json::document client::call(std::string_view method, std::string_view params, milliseconds timeout,
                            const cancellation& cancel, const call_context& whom) {
  exchange x{impl_->to, cancel, timeout, impl_->next_id++};
  auto on = x.connect(impl_->pool);
  on->begin(x.until, head_budget);
  if (!x.send(*on, impl_->post.text(encode_call(method, params, x.id), whom)))
    x.fail(on->why());
  return take_result(x, std::move(on), impl_->pool);
}

bool client::start_call(const call_threads& on, std::string_view method, std::string_view params, milliseconds timeout,
                        const cancellation& cancel, const call_context& whom, call_done told) {
  auto kept = impl_->pool.take();
  if (!kept)
    return false;
  const auto id = impl_->next_id++;
  std::make_shared<async_call>(impl_->to, impl_->pool, on, std::move(kept), timeout, id, cancel, std::move(told))
    ->send(impl_->post.text(encode_call(method, params, id), whom));
  return true;
}

download_end client::download(std::string_view request, const download_times& times, const cancellation& cancel,
                              const download_sink& sink, const call_context& whom) {
  return impl_->download(request, times, cancel, sink, whom);
}

const endpoint& client::to() const noexcept {
  return impl_->to;
}

} // namespace mistify::rpc
