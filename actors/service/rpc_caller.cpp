#include "actors/service/rpc_caller.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/base/log.hpp"

#include <chrono>
#include <utility>

namespace mistify::actors {

using rpc::errc;
using rpc::failure;

namespace {

void log_call(const rpc::endpoint& to, const service_call& call, const rpc::outcome<rpc::json::document>& result,
              std::chrono::steady_clock::duration took) {
  const auto* why = std::get_if<failure>(&result);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  rpc::log::debug("call", {{"request_id", call.request_id},
                           {"port", std::to_string(to.port)},
                           {"method", call.method},
                           {"ms", std::to_string(ms)},
                           {"error", why ? why->message() : std::string{}}});
}

} // namespace

rpc_caller::rpc_caller(std::shared_ptr<rpc::client> out, const rpc::call_threads& threads, std::size_t message_bytes)
  : threads_{threads}, message_bytes_{message_bytes}, out_{std::move(out)} {}

void rpc_caller::start(service_call call, done when_done) {
  const auto out = note(std::move(call), std::move(when_done));
  if (out->by == nullptr)
    return out->told(failure{errc::unavailable, "the agent is stopping"});
  try {
    begin(out);
  } catch (const std::exception& e) {
    over(*out, failure{errc::internal, e.what()});
  }
}

/// The answer comes to this thread if it waits for some, and needs to wake no other one then.
void rpc_caller::begin(const std::shared_ptr<call_out>& out) {
  const auto& what = out->call;
  const rpc::call_context whom{what.request_id, what.job};
  auto* here = rpc::reactor::of_this_thread();
  if (out->by->start_call({here ? *here : threads_.answers, threads_.blocking}, what.method, what.params, what.timeout,
                          what.cancel, whom,
                          [this, out](rpc::outcome<rpc::json::document> result) { over(*out, std::move(result)); }))
    return;
  const bool posted = threads_.blocking.try_post([this, out] {
    const auto& c = out->call;
    try {
      over(*out, out->by->call(c.method, c.params, c.timeout, c.cancel, {c.request_id, c.job}));
    } catch (const failure& e) {
      over(*out, e);
    } catch (const std::exception& e) {
      over(*out, failure{errc::internal, e.what()});
    }
  });
  if (!posted)
    over(*out, failure{errc::unavailable, "no thread is free for the call"});
}

/// Returns a call without a client after `cancel_all`: it must not start.
std::shared_ptr<rpc_caller::call_out> rpc_caller::note(service_call call, done told) {
  const std::lock_guard lock{mutex_};
  if (cancelled_)
    return std::make_shared<call_out>(call_out{std::move(call), nullptr, std::move(told), {}});
  const auto place = under_way_.insert(under_way_.end(), call.cancel);
  return std::make_shared<call_out>(call_out{std::move(call), out_, std::move(told), place});
}

void rpc_caller::use(std::shared_ptr<rpc::client> out) {
  const std::lock_guard lock{mutex_};
  out_.swap(out);
}

void rpc_caller::over(const call_out& out, rpc::outcome<rpc::json::document> result) {
  const std::size_t most = message_bytes_;
  if (auto* why = std::get_if<failure>(&result); why && why->message().size() > most)
    result = failure{why->code(), rpc::cut_text(why->message(), most), why->stack()};
  if (rpc::log::debugging())
    log_call(out.by->to(), out.call, result, std::chrono::steady_clock::now() - out.since);
  {
    const std::lock_guard guard{mutex_};
    under_way_.erase(out.place);
  }
  out.told(std::move(result));
}

void rpc_caller::cancel_all() {
  std::unique_lock lock{mutex_};
  cancelled_ = true;
  const auto calls = under_way_;
  lock.unlock();
  for (const auto& call : calls)
    call.cancel();
}

} // namespace mistify::actors
