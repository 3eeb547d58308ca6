#pragma once

#include <string>
#include <string_view>

namespace mistify::actors::cluster {

/// The names of this host's keys, as Lochness has them (`hypervisors/`, `guests/`) and beside them (`agents/`).
class keys {
public:
  keys(const std::string& prefix, const std::string& id)
    : guests_{prefix + "/guests/"}, host_{prefix + "/hypervisors/" + id + '/'}, agent_{prefix + "/agents/" + id + '/'} {
  }

  const std::string& host() const noexcept { return host_; }   ///< folder: PREFIX/hypervisors/ID/
  const std::string& agent() const noexcept { return agent_; } ///< folder: PREFIX/agents/ID/
  std::string metadata() const { return host_ + "metadata"; }
  std::string heartbeat() const { return host_ + "heartbeat"; }
  std::string owner() const { return agent_ + "owner"; }
  std::string placed() const { return host_ + "guests/"; }   ///< folder of the guests that the cluster placed here
  std::string present() const { return agent_ + "guests/"; } ///< folder of all guests
  std::string placed(std::string_view guest) const { return placed().append(guest); }
  std::string present(std::string_view guest) const { return present().append(guest); }
  /// Where the controller describes a guest.
  std::string guest(std::string_view id) const { return (guests_ + std::string{id}).append("/metadata"); }

private:
  std::string guests_, host_, agent_;
};

} // namespace mistify::actors::cluster
