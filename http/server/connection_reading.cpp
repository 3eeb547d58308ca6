#include "http/api/door.hpp"
#include "http/protocol/request_id.hpp"
#include "http/server/connection.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/net/reactor.hpp"

#include <array>
#include <cerrno>
#include <coroutine>
#include <exception>
#include <optional>
#include <string_view>

namespace mistify::http {

namespace {

constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t small = 4 * 1024;              // what a connection may buffer without being accounted for
constexpr std::size_t max_drained = 8 * 1024 * 1024; // of what a refused client goes on sending

/// Whether a list header, such as Connection, names `word`.
bool names(std::string_view list, std::string_view word) {
  bool found = false;
  rpc::text::each_element(list, ',', [&](std::string_view e) { found |= rpc::text::equal_ignoring_case(e, word); });
  return found;
}

/// Runs by itself: nobody holds it, and it ends when it is through.
struct detached {
  struct promise_type {
    detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
  };
};

/// `shared` and `r` are the connection's.
detached run_handler(std::shared_ptr<connection> c, const server_state& shared, request& r) {
  std::exception_ptr failure;
  try {
    c->complete(co_await shared.handle(std::move(r)));
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure)
    c->complete(shared.answer_to(std::move(failure)));
}

} // namespace

bool connection::read_request(thread on) {
  if (on == thread::other) {
    if (!may_read_ && reader_.empty())
      return wait_for_bytes();
    // The worker comes when there is room for another answer. The deadline of a request that has begun stays.
    if (!timing_)
      set_deadline(in(state_->settings.write_timeout));
    hand_to_worker();
    return false;
  }
  switch (reader_.empty() ? request_reader::progress::more : reader_.advance()) {
  case request_reader::progress::more: return fill() || (stage_ == stage::reading ? wait_for_bytes() : true);
  case request_reader::progress::go_on: send_go_on(); return true;
  case request_reader::progress::complete: return begin_exchange();
  case request_reader::progress::refused: refuse(reader_.why().status, reader_.why().message); return true;
  }
  return false;
}

/// Sets the deadline of what is waited for; false, as there is nothing more to do, but for the refusal of a late request.
bool connection::wait_for_bytes() {
  const bool late = std::exchange(late_, false);
  if (late && timing_ && !reader_.empty()) {
    refuse(408, "the request did not arrive in time");
    return true;
  }
  if (!reader_.empty()) {
    if (!timing_) // from its first byte on, however many come in between
      set_deadline(in(state_->settings.request_timeout));
    timing_ = true;
  } else if (state_->stopping || late) {
    close();
  } else {
    timing_ = false;
    set_deadline(in(state_->settings.idle_timeout));
  }
  return false;
}

/// True when there are new bytes. May end the stage.
bool connection::fill() {
  if (!may_read_)
    return false;
  std::array<char, read_bytes> bytes;
  const auto n = socket_.read(bytes);
  if (n > 0) {
    may_read_ = half_closed_ || !socket_.drained(); // the end of a stream that is known to end makes no event
    reader_.append({bytes.data(), static_cast<std::size_t>(n)});
    return account();
  }
  if (n < 0 && errno == EINTR)
    return fill();
  may_read_ = false;
  if (n == 0 || errno != EAGAIN)
    close();
  return false;
}

/// Counts what is buffered towards the bound of all connections.
bool connection::account() {
  auto held = reader_.buffered();
  held = held > small ? held : 0;
  if (held == accounted_)
    return true;
  auto all = state_->buffered += held - accounted_; // wraps around as it should where less is held
  bool grown = held > accounted_;
  accounted_ = held;
  if (!grown || all <= state_->settings.max_buffered)
    return true;
  refuse(503, "too many large requests at a time");
  return false;
}

bool connection::begin_exchange() {
  stage_ = stage::handling;
  late_ = false;
  packed_ = false;
  set_deadline(half_closed_ ? in(state_->settings.half_closed_timeout) : never);
  timing_ = false;
  auto& r = request_;
  if (auto no = request_parser::parse(reader_.head(), r)) {
    refuse(no->status, std::move(no->message), r.head_only);
    return true;
  }
  if (const auto& door = state_->settings.door)
    if (auto no = refuse_address(*door, reader_.head(), peer_->address, host_)) {
      if (state_->settings.on_refusal)
        state_->settings.on_refusal({*peer_, reader_.head().method, r.path, no->status, no->message});
      refuse(no->status, std::move(no->message), r.head_only);
      return true;
    }
  r.body = reader_.take_body();
  r.peer = peer_->address;
  r.client = peer_;
  r.id = request_id_ = request_id_of(sent_request_id());
  head_only_ = r.head_only;
  http_1_0_ = reader_.head().http_1_0;
  auto persistence = r.header("connection");
  keep_alive_ = http_1_0_ ? names(persistence, "keep-alive") : !names(persistence, "close");
  accepts_gzip_ = accepts_gzip(r.header("accept-encoding"));
  reader_.next();
  ++state_->requests;
  start_handler();
  return true;
}

/// "" where there is none, or no head that can be read.
std::string_view connection::sent_request_id() const {
  for (const auto& field : reader_.head().fields)
    if (rpc::text::equal_ignoring_case(field.name, "x-request-id"))
      return field.value;
  return {};
}

void connection::start_handler() {
  phase_.store(phase::started, std::memory_order_relaxed); // what hands the handler to another thread orders this too
  run_handler(shared_from_this(), *state_, request_);
  if (phase_.load() != phase::done) {
    ++state_->parked;
    // From here on the handler's thread may post the answer.
    if (phase_.exchange(phase::parked) != phase::done)
      return;
    --state_->parked;
  }
  respond(thread::worker);
}

void connection::complete(answer&& a) noexcept {
  answer_ = std::move(a);
  request_.release();
  if (phase_.exchange(phase::done) != phase::parked)
    return; // the worker that started the handler is still there, and goes on
  --state_->parked;
  post(answered, rpc::reactor::of_this_thread() ? thread::worker : thread::other); // only workers drive one
}

/// Reads what a refused client goes on sending, so that the answer is not lost to a reset.
bool connection::drain() {
  std::array<char, read_bytes> bytes;
  while (may_read_) {
    const auto n = socket_.discard(bytes);
    if (n > 0 && (drained_ += static_cast<std::size_t>(n)) <= max_drained)
      continue;
    may_read_ = false;
    if (n >= 0 || (errno != EAGAIN && errno != EINTR))
      close();
  }
  return false;
}

} // namespace mistify::http
