#include "actors/rpc_caller.hpp"

#include "rpc/log.hpp"

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

rpc_caller::rpc_caller(std::shared_ptr<rpc::client> out, rpc::thread_pool& threads)
  : out_{std::move(out)}, threads_{threads} {}

void rpc_caller::start(service_call call, done when_done) {
  std::unique_lock lock{mutex_};
  const auto place = under_way_.insert(under_way_.end(), call.cancel);
  lock.unlock();
  // Shared, because the pool leaves the work alone when it has no thread for it.
  const auto told = std::make_shared<done>(std::move(when_done));
  const bool posted = threads_.try_post([this, place, told, call = std::move(call)] {
    rpc::outcome<std::string> result;
    const auto begin = std::chrono::steady_clock::now();
    try {
      result = out_->call(call.method, call.params, call.timeout, call.cancel, call.request_id);
    } catch (const failure& e) {
      result = e;
    } catch (const std::exception& e) {
      result = failure{errc::internal, e.what()};
    }
    if (rpc::log::debugging())
      log_call(out_->to(), call, result, std::chrono::steady_clock::now() - begin);
    {
      const std::lock_guard guard{mutex_};
      under_way_.erase(place);
    }
    (*told)(std::move(result));
  });
  if (posted)
    return;
  lock.lock();
  under_way_.erase(place);
  lock.unlock();
  (*told)(failure{errc::unavailable, "no thread is free for the call"});
}

void rpc_caller::cancel_all() {
  std::unique_lock lock{mutex_};
  const auto calls = under_way_;
  lock.unlock();
  for (const auto& call : calls)
    call.cancel();
}

} // namespace mistify::actors
