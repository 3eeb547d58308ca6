#include "actors/service/rpc_caller.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/base/log.hpp"

#include <chrono>
#include <utility>

namespace mistify::actors {

using rpc::errc;
using rpc::failure;

namespace {

void log_call(const rpc::endpoint& to, const service_call& call, const rpc::outcome<std::string>& result,
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
  : out_{std::move(out)}, threads_{threads}, message_bytes_{message_bytes} {}

void rpc_caller::start(service_call call, done when_done) {
  const auto place = note(call.cancel);
  const auto out = std::make_shared<call_out>(call_out{std::move(call), std::move(when_done), place});
  const auto& what = out->call;
  const rpc::call_context whom{what.request_id, what.job};
  if (out_->start_call(threads_, what.method, what.params, what.timeout, what.cancel, whom,
                       [this, out](rpc::outcome<std::string> result) { over(*out, std::move(result)); }))
    return;
  const bool posted = threads_.blocking.try_post([this, out] {
    const auto& c = out->call;
    try {
      over(*out, out_->call(c.method, c.params, c.timeout, c.cancel, {c.request_id, c.job}));
    } catch (const failure& e) {
      over(*out, e);
    } catch (const std::exception& e) {
      over(*out, failure{errc::internal, e.what()});
    }
  });
  if (!posted)
    over(*out, failure{errc::unavailable, "no thread is free for the call"});
}

rpc_caller::noted rpc_caller::note(const rpc::cancellation& cancel) {
  const std::lock_guard lock{mutex_};
  return under_way_.insert(under_way_.end(), cancel);
}

void rpc_caller::over(const call_out& out, rpc::outcome<std::string> result) {
  if (auto* why = std::get_if<failure>(&result); why && why->message().size() > message_bytes_)
    result = failure{why->code(), rpc::cut_text(why->message(), message_bytes_), why->stack()};
  if (rpc::log::debugging())
    log_call(out_->to(), out.call, result, std::chrono::steady_clock::now() - out.since);
  {
    const std::lock_guard guard{mutex_};
    under_way_.erase(out.place);
  }
  out.told(std::move(result));
}

void rpc_caller::cancel_all() {
  std::unique_lock lock{mutex_};
  const auto calls = under_way_;
  lock.unlock();
  for (const auto& call : calls)
    call.cancel();
}

} // namespace mistify::actors
