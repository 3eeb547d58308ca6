#pragma once

#include "rpc/agents/libvirt/handles.hpp"

#include <functional>
#include <string>

namespace mistify::agents {

/// What a `domain_watch` tells, on the thread of the `event_loop`: it must not block there.
struct watcher {
  /// A domain began, ended, paused, crashed, came or went: virDomainEventType and its detail.
  std::function<void(const std::string& uuid, int event, int detail)> changed;
  std::function<void(const std::string& uuid)> reset; ///< a domain booted anew
  std::function<void()> broke;                        ///< the connection is gone, and nothing more will be told
};

/// A connection that tells what domains do, whoever made them do it.
class domain_watch {
public:
  /// Throws `hypervisor_error` where the driver tells nothing.
  domain_watch(connection_ptr connection, watcher tell);
  ~domain_watch();
  /// False for libvirt's own test driver, which resets nothing, and for drivers that do not know such events.
  bool hears_resets() const;
  domain_watch(const domain_watch&) = delete;
  domain_watch& operator=(const domain_watch&) = delete;

private:
  connection_ptr connection_;
  watcher tell_;
  int events_ = -1; ///< libvirt's number of the registration
  int resets_ = -1; ///< likewise; -1 where the driver does not know resets
};

} // namespace mistify::agents
