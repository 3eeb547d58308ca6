#include "rpc/client/client.hpp"

#include "rpc/client/async_call.hpp"
#include "rpc/client/http_exchange.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/model/codec.hpp"

#include <atomic>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace mistify::rpc {

namespace {

/// Pieces that a download is handed on in. The engine's of 4 KiB, each copied and sent by itself, came to a fifth of
/// what the source could do.
constexpr std::size_t download_buffer = 256 * 1024;

/// What the kernel may keep of a download that is relayed. Left to itself it lets this grow to 32 MiB, over which the bytes are
/// out of the caches by the time they are passed on: 1 GiB on two cores came to 0.55 of the source's own rate so, and to
/// 0.74 with this (medians of seven; etc/bench.sh download).
constexpr int relay_window = 256 * 1024;

using milliseconds = std::chrono::milliseconds;

void bound_window(const socket_stream& on) {
  ::setsockopt(on.socket(), SOL_SOCKET, SO_RCVBUF, &relay_window, sizeof relay_window); // or what Linux allows
}

bool relay(connection& on, std::size_t left, const download_sink& sink) {
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

/// Hands on the rest of an answer, of which so many bytes are to come, as it comes, off the socket itself if the sink
/// relays; true if that came to a proper end.
bool pump(const exchange& x, connection& on, std::size_t left, const download_sink& sink) {
  const auto guard = x.cancel.on_cancel([&on] { on.stream.abort(); });
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

/// Appends to a text as much as fits; false when not everything did.
bool append(std::string& text, std::string_view bytes, std::size_t limit) {
  text.append(bytes.substr(0, limit - text.size()));
  return text.size() < limit;
}

} // namespace

struct client::impl {
  explicit impl(endpoint e) : to{std::move(e)}, plain{text::is_plain_path(to.path)} {}

  const endpoint to;
  const bool plain; // the engine would escape what is not
  connection_pool pool;
  std::atomic<std::uint64_t> last_id{0};

  download_end download(std::string request, milliseconds stall, const cancellation& cancel, const download_sink& sink,
                        const call_context& whom);
};

download_end client::impl::download(std::string body, milliseconds stall, const cancellation& cancel,
                                    const download_sink& sink, const call_context& whom) {
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
  auto request = post_to(to, std::move(body), whom);
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
  if (sink.relay)
    bound_window(on->stream);
  on->stream.begin(x.until, head_budget);
  bool whole = x.run(*on, request);
  if (length >= 0)
    whole = pump(x, *on, static_cast<std::size_t>(length), noted);
  if (!began) {
    x.expect_going();
    // A refusal counts even where its text did not come to an end.
    const auto status = x.answer.status;
    if (status > 0 && status != 200 && !x.unsound && on->stream.why() != socket_stream::fault::too_late) {
      if (status >= 400 && status < 600)
        throw download_refused{status, refusal(status, text)};
      throw failure{errc::sub_agent_failed,
                    unexpected(status)}; // for a client it would mean something else, or nothing
    }
    x.fail(on->stream.why());
  }
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

std::string client::call(std::string_view method, std::string_view params, milliseconds timeout,
                         const cancellation& cancel, const call_context& whom) {
  exchange x{impl_->to, cancel, timeout};
  auto on = x.connect(impl_->pool);
  auto request = post_to(impl_->to, encode_call(method, params, impl_->last_id++), whom);
  on->stream.begin(x.until, head_budget);
  return take_result(x, request, std::move(on), impl_->pool);
}

bool client::start_call(const call_threads& on, std::string_view method, std::string_view params, milliseconds timeout,
                        const cancellation& cancel, const call_context& whom, call_done told) {
  auto kept = impl_->plain ? impl_->pool.take() : nullptr;
  if (!kept)
    return false;
  std::make_shared<async_call>(impl_->to, impl_->pool, on, std::move(kept), timeout, cancel, std::move(told))
    ->send(text_of_post(impl_->to, encode_call(method, params, impl_->last_id++), whom));
  return true;
}

download_end client::download(std::string_view request, milliseconds stall, const cancellation& cancel,
                              const download_sink& sink, const call_context& whom) {
  return impl_->download(std::string{request}, stall, cancel, sink, whom);
}

const endpoint& client::to() const noexcept {
  return impl_->to;
}

} // namespace mistify::rpc
