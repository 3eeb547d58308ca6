#pragma once

#include "actors/cluster/picture.hpp"
#include "actors/cluster/registration.hpp"
#include "actors/cluster/status.hpp"
#include "rpc/base/error.hpp"
#include "rpc/etcd/client.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

namespace mistify::actors::cluster {

/// What the registrar asks the agent. Called on its thread; may block for disk reads.
class host_source {
public:
  virtual ~host_source() = default;
  /// The host as it is now. The guests stay valid until the next call. Does not throw: a host whose database cannot be
  /// read is alive, and is as it was.
  virtual picture look() = 0;

protected:
  host_source() = default;
  host_source(const host_source&) = default;
  host_source& operator=(const host_source&) = default;
};

/// The thread of a registration: it alone talks to etcd, so that nothing of the agent waits for it. Its members are
/// thread-safe.
class registrar {
public:
  /// Begins at once. `shown` and `source` outlive the object.
  registrar(registration_settings settings, std::unique_ptr<rpc::etcd::client> etcd, status& shown,
            host_source& source);
  ~registrar() { stop(); }
  /// Ends without letting the lease go, as a crash would, unless it has ended. From one thread, as `resign`.
  void stop();

  /// Guests or host have changed. Does not block.
  void note_change() noexcept;

  using on_done = std::function<void(rpc::outcome<bool>)>;
  /// Removes the host from the cluster. Calls `done` once, on the registrar's thread or, if it has ended, on this one.
  void leave(on_done done);

  /// Lets the lease go and ends the thread, within `longest`.
  void resign(std::chrono::milliseconds longest);

private:
  void run();
  void turn();
  void let_lease_go();
  void answer_leave();
  void end();

  std::unique_ptr<rpc::etcd::client> etcd_;
  host_source& source_;
  registration registration_;
  std::atomic<bool> changed_{true}, stopping_{false}, resigning_{false};
  std::mutex mutex_;
  std::condition_variable over_;          // of `ended_`
  std::optional<on_done> leave_;          // asked for, not answered yet
  bool ended_ = false, given_up_ = false; // given up: the lease may not be revoked any more
  std::thread thread_;
};

} // namespace mistify::actors::cluster
