#pragma once

#include "actors/service/service.hpp"
#include "rpc/base/thread_pool.hpp"
#include "rpc/client/client.hpp"
#include "rpc/net/reactor.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>

namespace mistify::actors {

/// Calls a sub-agent over HTTP. Thread-safe.
class rpc_caller final : public caller {
public:
  /// The threads are shared by all services and outlive this; the pool has one for every place at every service.
  /// Errors are told in at most `message_bytes`: a sub-agent may send megabytes.
  rpc_caller(std::shared_ptr<rpc::client> out, const rpc::call_threads& threads, std::size_t message_bytes);

  void start(service_call call, done when_done) override;

  /// Drops every call that is under way, so that their threads come back.
  void cancel_all();

private:
  using noted = std::list<rpc::cancellation>::iterator;
  struct call_out {
    service_call call;
    done told;
    noted place;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  };

  noted note(const rpc::cancellation& cancel);
  void over(const call_out& out, rpc::outcome<std::string> result);

  std::shared_ptr<rpc::client> out_;
  const rpc::call_threads threads_;
  const std::size_t message_bytes_;
  std::mutex mutex_;
  std::list<rpc::cancellation> under_way_;
};

} // namespace mistify::actors
