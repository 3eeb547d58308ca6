#pragma once

#include "actors/service/service_desk.hpp"
#include "rpc/base/thread_pool.hpp"
#include "rpc/client/client.hpp"
#include "rpc/net/reactor.hpp"

#include <atomic>
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

  /// Calls that begin later use `out`. Those that are under way keep their client until they are over.
  void use(std::shared_ptr<rpc::client> out);
  void bound_messages(std::size_t bytes) noexcept { message_bytes_ = bytes; }

  /// Cancels every call in flight, so that their threads become free, and refuses later ones.
  void cancel_all();

private:
  using noted = std::list<rpc::cancellation>::iterator;
  struct call_out {
    service_call call;
    std::shared_ptr<rpc::client> by;
    done told;
    noted place;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  };

  void begin(const std::shared_ptr<call_out>& out);
  std::shared_ptr<call_out> note(service_call call, done told);
  void over(const call_out& out, rpc::outcome<rpc::json::document> result);

  const rpc::call_threads threads_;
  std::atomic<std::size_t> message_bytes_;
  std::mutex mutex_; // guards the following members
  std::shared_ptr<rpc::client> out_;
  std::list<rpc::cancellation> under_way_;
  bool cancelled_ = false;
};

} // namespace mistify::actors
