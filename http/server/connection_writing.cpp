#include "http/protocol/request_id.hpp"
#include "http/protocol/response_writer.hpp"
#include "http/server/connection.hpp"
#include "http/server/transfer.hpp"
#include "rpc/base/overloaded.hpp"
#include "rpc/http1/grammar.hpp"

#include <sys/socket.h>

namespace mistify::http {

namespace {

constexpr std::size_t large = 4 * 1024; // a body that is not for an actor's thread to compress
/// A body whose compression holds up others: a millisecond's worth.
constexpr std::size_t heavy = 32 * 1024;
constexpr std::chrono::milliseconds drain_time{2000};

bool has_header(const answer& a, std::string_view lower_case_name) {
  for (const auto& h : a.headers)
    if (h.first.size() == lower_case_name.size() && rpc::text::equal_ignoring_case(h.first, lower_case_name))
      return true;
  return false;
}

std::string name_of(stream_kind kind) {
  switch (kind) {
  case stream_kind::data: return "downloads";
  case stream_kind::page: return "pages";
  case stream_kind::log: return "readers of logs";
  }
  return "streams";
}

} // namespace

void connection::respond(thread on) {
  if (is_heavy(answer_) && pack_elsewhere())
    return;
  const auto* own = std::get_if<std::string>(&answer_.body);
  handed_over_ = on == thread::other && accepts_gzip_ && !packed_ && own && own->size() > large;
  if (handed_over_)
    return hand_to_worker();
  std::visit(rpc::overloaded{[&](const streamed&) { start_download(); }, [&](const growing&) { start_live(); },
                             [&](const auto&) { send(std::move(answer_)); }},
             answer_.body);
}

/// Answers instead of a handler, and closes: what follows is not known to be a request.
void connection::refuse(int status, std::string message, bool head_only) {
  ++state_->refused;
  keep_alive_ = false;
  lingers_ = true;
  accepts_gzip_ = false;
  head_only_ = head_only;
  request_id_ = request_id_of(sent_request_id());
  send(state_->answer_to(status, std::move(message)));
}

void connection::send(answer&& a) {
  if (is_bodiless(a.status))
    a.body = {};
  head_options options;
  options.varies = !packed_ && compress(a);
  keep_alive_ = keep_alive_ && !state_->stopping;
  options.date = date_now();
  options.content_length = static_cast<std::int64_t>(a.text().size());
  options.keep_alive = keep_alive_;
  options.http_1_0 = http_1_0_;
  options.request_id = request_id_;
  append_head(out_.begin(), a, options);
  if (!head_only_)
    put(std::move(a.body));
  late_ = false;
  stage_ = stage::writing;
}

/// An error answer does not pass `respond`: of a streamed or growing body it is sent without any.
void connection::put(answer_body&& body) {
  std::visit(rpc::overloaded{[&](std::string& own) { out_.put(std::move(own)); },
                             [&](shared_text& shared) { out_.put(std::move(shared)); }, [](auto&) {}},
             body);
}

bool connection::is_heavy(const answer& a) const {
  const auto* own = std::get_if<std::string>(&a.body);
  return own && own->size() > heavy && accepts_gzip_ && !packed_ && is_compressible(a.content_type) &&
         !has_header(a, "content-encoding");
}

/// Until `answered` comes again, the answer belongs to the thread that compresses it. False where none is free: then
/// the answer is sent as it is.
bool connection::pack_elsewhere() {
  packed_ = true;
  handed_over_ = false;
  if (!has_header(answer_, "vary"))
    answer_.headers.emplace_back("Vary", "Accept-Encoding");
  return state_->packers.try_post([self = shared_from_this()]() mutable {
    try {
      self->compress(self->answer_);
    } catch (const std::exception&) {
      // No memory for it: the answer goes as it is.
    }
    std::exchange(self, nullptr)->post(answered, thread::other);
  });
}

/// True if it is left to the head to say that the answer varies.
bool connection::compress(answer& a) {
  auto* own = std::get_if<std::string>(&a.body);
  if (!own || own->empty() || !is_compressible(a.content_type) || has_header(a, "content-encoding"))
    return false;
  const bool varies = !has_header(a, "vary");
  if (!accepts_gzip_)
    return varies;
  if (varies)
    a.headers.emplace_back("Vary", "Accept-Encoding");
  if (auto packed = state_->gzip.gzip(*own)) {
    *own = *std::move(packed);
    a.headers.emplace_back("Content-Encoding", "gzip");
  }
  return false;
}

bool connection::flush() {
  bool moved = false;
  switch (out_.flush(socket_, moved)) {
  case write_buffer::result::sent: end_exchange(); return true;
  case write_buffer::result::failed: close(); return false;
  case write_buffer::result::blocked: break;
  }
  bytes_wait();
  return false;
}

/// Bytes wait for the client: they are counted, and it has to take them at the least rate.
void connection::bytes_wait() {
  const auto time = now();
  const auto so_far = taken();
  pace_.waits(time, so_far);
  waits_ = true;
  set_live_deadline(pace_.look_at());
  for (const auto& slow : state_->waiting.hold(key_, {out_.own(), out_.shared(), so_far}, time))
    if (const auto c = state_->connections.find(slow))
      c->post(dropped, thread::other);
}

void connection::nothing_waits() {
  if (!std::exchange(waits_, false))
    return;
  pace_.rests(now());
  state_->waiting.release(key_);
}

std::uint64_t connection::taken() const noexcept {
  const auto sent = socket_.sent(), on_their_way = unacknowledged_bytes(key_.fd);
  return sent > on_their_way ? sent - on_their_way : 0;
}

void connection::end_exchange() {
  nothing_waits();
  if (keep_alive_) {
    stage_ = stage::reading;
    if (accounted_ > 0)
      account();
  } else if (lingers_ || may_read_ || !reader_.empty()) {
    start_draining();
  } else {
    close();
  }
}

void connection::start_draining() {
  stage_ = stage::draining;
  socket_.say_goodbye();
  ::shutdown(key_.fd, SHUT_WR);
  set_deadline(in(drain_time));
}

void connection::start_download() {
  keep_alive_ = keep_alive_ && !state_->stopping;
  auto& body = std::get<streamed>(answer_.body);
  kind_ = body.kind;
  live_while_ = std::move(body.live_while);
  transfer_ = std::make_shared<transfer>(
    socket_, std::move(answer_),
    transfer::manner{head_only_, http_1_0_, keep_alive_,
                     pace_rule{state_->settings.write_timeout, state_->least_rate, state_->settings.rate_window},
                     request_id_});
  stage_ = stage::downloading;
  if (kind_ == stream_kind::log) // it may be silent for ever: no write would find out that nobody reads
    expect_answers(key_.fd, state_->settings.write_timeout);
  if (kind_ == stream_kind::data)
    ++state_->downloading;
  if (state_->threads_of(kind_).try_post(
        [self = shared_from_this()]() mutable { std::exchange(self, nullptr)->run_download(); })) {
    if (live_while_)
      set_deadline(in(judged_every));
    return;
  }
  transfer_ = nullptr;
  live_while_ = nullptr;
  if (kind_ == stream_kind::data)
    --state_->downloading;
  ++state_->refused;
  send(state_->answer_to(503, "too many " + name_of(kind_) + " at a time"));
}

/// On a thread of a pool, which has the socket to itself.
void connection::run_download() {
  transfer_->run([this](std::exception_ptr e) { return state_->answer_to(std::move(e)); });
  if (kind_ == stream_kind::data)
    --state_->downloading;
  post(transferred, thread::other);
}

/// The reader may have lost its rights. Then the download's thread, which has the socket to itself, finds it shut.
void connection::watch_download() {
  if (live_while_ && live_while_())
    return set_deadline(in(judged_every));
  ::shutdown(key_.fd, SHUT_RDWR);
  transfer_->client_gone().cancel();
}

void connection::finish_download() {
  auto done = std::exchange(transfer_, nullptr);
  live_while_ = nullptr;
  set_deadline(never);
  may_read_ |= tls_ != nullptr; // what a read waited for may have come during the download
  keep_alive_ = keep_alive_ && done->persists();
  switch (done->end()) {
  case transfer::ending::refused: send(done->take_answer()); return;
  case transfer::ending::clean: end_exchange(); return;
  case transfer::ending::broken: close_hard(); return;
  }
}

} // namespace mistify::http
