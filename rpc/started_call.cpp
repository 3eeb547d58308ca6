#include "rpc/started_call.hpp"

#include "rpc/reactor.hpp"
#include "rpc/text.hpp"
#include "rpc/thread_pool.hpp"

#include <charconv>
#include <cstdint>
#include <exception>
#include <utility>

namespace mistify::rpc {

namespace {

/// As the engine writes it.
std::string text_of(const httplib::Request& request, const endpoint& to) {
  auto out = request.method + ' ' + request.path + " HTTP/1.1\r\nHost: " + to.host + ':' + std::to_string(to.port) +
             "\r\nAccept: */*\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n";
  for (const auto& [name, value] : request.headers)
    out.append(name).append(": ").append(value).append("\r\n");
  return out.append("\r\n").append(request.body);
}

/// What a header's line says, where it is this one.
std::optional<std::string_view> value_in(std::string_view line, std::string_view name) {
  const auto colon = line.find(':');
  if (colon == line.npos || !text::equal_ignoring_case(line.substr(0, colon), name))
    return std::nullopt;
  return text::trim(line.substr(colon + 1));
}

/// Whether this is an answer to its last byte: one that tells its length. All else the engine may judge, which reads what
/// is missing.
bool is_whole(std::string_view bytes) {
  constexpr std::string_view line_end = "\r\n";
  const auto head = bytes.find("\r\n\r\n");
  if (head == bytes.npos || bytes.starts_with("HTTP/1.1 1")) // 100 Continue: another head follows
    return false;
  std::optional<std::size_t> length;
  for (auto at = bytes.find(line_end); at < head;) {
    at += line_end.size();
    const auto end = bytes.find(line_end, at);
    const auto line = bytes.substr(at, end - at);
    if (value_in(line, "Transfer-Encoding"))
      return false;
    if (const auto value = value_in(line, "Content-Length"); value && !length)
      std::from_chars(value->data(), value->data() + value->size(), length.emplace(SIZE_MAX));
    at = end;
  }
  return length && *length <= bytes.size() - head - 4;
}

} // namespace

started_call::started_call(const endpoint& to, connection_pool& pool, const call_threads& on,
                           std::unique_ptr<connection> link, std::chrono::milliseconds timeout, cancellation cancel,
                           call_done told)
  : pool_{pool}, threads_{on}, cancel_{std::move(cancel)}, exchange_{to, cancel_, timeout}, link_{std::move(link)},
    told_{std::move(told)} {}

void started_call::send(const httplib::Request& request) {
  auto text = text_of(request, exchange_.to);
  link_->stream.begin(exchange_.until, head_budget);
  guard_.emplace(cancel_.on_cancel([stream = &link_->stream] { stream->abort(); }));
  const auto sent = link_->stream.send_at_once(text);
  if (sent == text.size())
    return await();
  unsent_ = text.substr(sent);
  go_on_blocking();
}

void started_call::await() {
  const bool awaited = threads_.answers.when_readable(link_->stream.socket(), exchange_.until,
                                                      [self = shared_from_this()] { self->answered(); });
  if (!awaited)
    go_on_blocking();
}

void started_call::answered() {
  if (!link_->stream.take_what_came())
    return await();
  if (!is_whole(link_->stream.unread()) && link_->stream.why() == socket_stream::fault::none)
    return go_on_blocking();
  link_->stream.never_wait();
  finish();
}

void started_call::go_on_blocking() {
  const bool posted = threads_.blocking.try_post([self = shared_from_this()] {
    self->link_->stream.send(self->unsent_);
    self->finish();
  });
  if (!posted) {
    guard_.reset();
    told_(failure{errc::unavailable, "no thread is free for the call"});
  }
}

void started_call::finish() {
  outcome<std::string> result;
  guard_.reset(); // the exchange has one of its own from here on, which goes before the connection is handed back
  try {
    httplib::Request sent;
    sent.method = "POST";
    link_->stream.next_was_sent();
    result = take_result(exchange_, sent, std::move(link_), pool_);
  } catch (const failure& e) {
    result = e;
  } catch (const std::exception& e) {
    result = failure{errc::internal, e.what()};
  }
  told_(std::move(result));
}

} // namespace mistify::rpc
