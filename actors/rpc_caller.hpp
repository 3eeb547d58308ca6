#pragma once

#include "actors/service.hpp"
#include "rpc/client.hpp"
#include "rpc/thread_pool.hpp"

#include <list>
#include <memory>
#include <mutex>

namespace mistify::actors {

/// Calls a sub-agent over HTTP, each call on a thread of the pool. Thread-safe.
class rpc_caller final : public caller {
public:
  /// The pool is shared by all services and outlives this; it has a thread for every place at every service.
  rpc_caller(std::shared_ptr<rpc::client> out, rpc::thread_pool& threads);

  void start(service_call call, done when_done) override;

  /// Drops every call that is under way, so that their threads come back.
  void cancel_all();

private:
  std::shared_ptr<rpc::client> out_;
  rpc::thread_pool& threads_;
  std::mutex mutex_;
  std::list<rpc::cancellation> under_way_;
};

} // namespace mistify::actors
