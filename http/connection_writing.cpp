#include "http/answer_writer.hpp"
#include "http/connection.hpp"
#include "http/request_id.hpp"
#include "http/transfer.hpp"
#include "rpc/text.hpp"

#include <sys/socket.h>

namespace mistify::http {

namespace {

constexpr std::size_t large = 4 * 1024; // a body that is not for an actor's thread to compress
constexpr std::chrono::milliseconds drain_time{2000};

bool has_header(const answer& a, std::string_view lower_case_name) {
  for (const auto& h : a.headers)
    if (h.first.size() == lower_case_name.size() && rpc::text::equal_ignoring_case(h.first, lower_case_name))
      return true;
  return false;
}

} // namespace

void connection::respond(thread on) {
  handed_over_ = on == thread::other && accepts_gzip_ && answer_.body.size() > large;
  if (handed_over_)
    hand_to_worker();
  else if (answer_.stream)
    start_download();
  else if (answer_.live)
    start_live();
  else
    send(std::exchange(answer_, {}));
}

/// Answers instead of a handler, and closes: what follows is not known to be a request.
void connection::refuse(int status, std::string message, bool head_only) {
  ++core_->refused;
  keep_alive_ = false;
  lingers_ = true;
  accepts_gzip_ = false;
  head_only_ = head_only;
  request_id_ = request_id_of(sent_request_id());
  send(core_->answer_to(status, std::move(message)));
}

void connection::send(answer a) {
  bool bodiless = is_bodiless(a.status);
  if (bodiless)
    a.body.clear();
  compress(a);
  keep_alive_ = keep_alive_ && !core_->stopping;
  head_options options;
  options.date = date_now();
  options.content_length = static_cast<std::int64_t>(a.body.size());
  options.keep_alive = keep_alive_;
  options.http_1_0 = http_1_0_;
  options.request_id = request_id_;
  out_.put(write_head(a, options), head_only_ ? std::string{} : std::move(a.body));
  late_ = false;
  stage_ = stage::writing;
}

void connection::compress(answer& a) {
  if (a.body.empty() || !is_compressible(a.content_type) || has_header(a, "content-encoding"))
    return;
  if (!has_header(a, "vary"))
    a.headers.emplace_back("Vary", "Accept-Encoding");
  if (!accepts_gzip_)
    return;
  if (auto packed = core_->gzip.gzip(a.body)) {
    a.body = *std::move(packed);
    a.headers.emplace_back("Content-Encoding", "gzip");
  }
}

bool connection::flush() {
  const bool late = std::exchange(late_, false);
  bool moved = false;
  switch (out_.flush(key_.fd, moved)) {
  case outbox::result::sent: end_exchange(); return true;
  case outbox::result::failed: close(); return false;
  case outbox::result::blocked: break;
  }
  if (late && !moved) {
    close_hard();
    return false;
  }
  if (moved || deadline() == never)
    set_deadline(in(core_->settings.write_timeout));
  return false;
}

void connection::end_exchange() {
  if (keep_alive_) {
    stage_ = stage::reading;
    if (accounted_ > 0)
      account();
  } else if (lingers_ || may_read_ || !framer_.empty()) {
    start_draining();
  } else {
    close();
  }
}

void connection::start_draining() {
  stage_ = stage::draining;
  ::shutdown(key_.fd, SHUT_WR);
  set_deadline(in(drain_time));
}

void connection::start_download() {
  keep_alive_ = keep_alive_ && !core_->stopping;
  transfer_ = std::make_shared<transfer>(
    key_.fd, std::exchange(answer_, {}),
    transfer::manner{head_only_, http_1_0_, keep_alive_, core_->settings.write_timeout, request_id_});
  stage_ = stage::downloading;
  ++core_->downloading;
  if (core_->downloads.try_post(
        [self = shared_from_this()]() mutable { std::exchange(self, nullptr)->run_download(); }))
    return;
  --core_->downloading;
  ++core_->refused;
  send(core_->answer_to(503, "too many downloads at a time"));
}

/// On a thread of the download pool, which has the socket to itself.
void connection::run_download() {
  transfer_->run([this](std::exception_ptr e) { return core_->answer_to(std::move(e)); });
  --core_->downloading;
  post(transferred, thread::other);
}

void connection::finish_download() {
  auto done = std::exchange(transfer_, nullptr);
  keep_alive_ = keep_alive_ && done->persists();
  switch (done->end()) {
  case transfer::ending::refused: send(done->take_answer()); return;
  case transfer::ending::clean: end_exchange(); return;
  case transfer::ending::broken: close_hard(); return;
  }
}

} // namespace mistify::http
