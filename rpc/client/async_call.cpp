#include "rpc/client/async_call.hpp"

#include "rpc/base/thread_pool.hpp"
#include "rpc/http1/whole_answer.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/net/reactor.hpp"

#include <exception>
#include <utility>

namespace mistify::rpc {

namespace {

template <class F>
outcome<json::document> outcome_of(const F& take) {
  try {
    return take();
  } catch (const failure& e) {
    return e;
  } catch (const std::exception& e) {
    return failure{errc::internal, e.what()};
  }
}

} // namespace

async_call::async_call(const endpoint& to, connection_pool& pool, const call_threads& on,
                       std::unique_ptr<socket_stream> link, std::chrono::milliseconds timeout, std::uint64_t id,
                       cancellation cancel, call_done told)
  : pool_{pool}, threads_{on}, cancel_{std::move(cancel)}, exchange_{to, cancel_, timeout, id}, link_{std::move(link)},
    told_{std::move(told)} {}

void async_call::send(std::string_view text) {
  link_->begin(exchange_.until, head_budget);
  guard_.emplace(cancel_.on_cancel([stream = link_.get()] { stream->abort(); }));
  const auto sent = link_->send_at_once(text);
  if (sent == text.size())
    return await();
  unsent_ = text.substr(sent);
  go_on_blocking();
}

void async_call::await() {
  const bool awaited =
    threads_.answers.when_readable(link_->socket(), exchange_.until, [self = shared_from_this()] { self->answered(); });
  if (!awaited)
    go_on_blocking();
}

void async_call::answered() {
  if (!link_->take_what_came())
    return await();
  const auto answer = read_whole(link_->unread());
  if (!answer && link_->why() == socket_stream::fault::none)
    return go_on_blocking();
  if (answer && answer->plain && answer->body.size() <= exchange_.to.max_answer)
    return finish(*answer);
  link_->never_wait();
  finish();
}

/// Uses the answer as it lies in the buffer.
void async_call::finish(const whole_answer& answer) {
  bool ours = false;
  auto result = outcome_of([&] {
    const auto decoded = decode_answer(answer.body, exchange_.id);
    ours = true;
    return result_in(decoded);
  });
  link_->next(link_->unread().size());
  guard_.reset(); // before the connection is handed back
  if (ours && answer.keeps_alive && link_->why() == socket_stream::fault::none)
    pool_.keep(std::move(link_));
  told_(std::move(result));
}

void async_call::go_on_blocking() {
  const bool posted = threads_.blocking.try_post([self = shared_from_this()] {
    self->link_->send(self->unsent_);
    self->finish();
  });
  if (!posted) {
    guard_.reset();
    told_(failure{errc::unavailable, "no thread is free for the call"});
  }
}

void async_call::finish() {
  guard_.reset(); // the exchange has one of its own from here on, which goes before the connection is handed back
  told_(outcome_of([&] { return take_result(exchange_, std::move(link_), pool_); }));
}

} // namespace mistify::rpc
