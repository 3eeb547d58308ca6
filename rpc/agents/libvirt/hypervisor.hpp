#pragma once

#include "rpc/agents/guest_locks.hpp"
#include "rpc/agents/libvirt/handles.hpp"
#include "rpc/model/model.hpp"

#include <mutex>
#include <string>
#include <vector>

namespace mistify::agents {

/// The libvirt daemon at a URI (or the driver, where the URI is of one that lives in this process), by as many
/// connections as there are calls at a time: libvirtd serves only a few calls of one connection at once, so that a guest
/// that hangs would hold up all others. Thread-safe. An `event_loop` must be there first.
class hypervisor {
public:
  explicit hypervisor(std::string uri);

  const std::string& uri() const noexcept { return uri_; }

  /// A connection for one call; it goes back when the lease ends, unless it broke meanwhile.
  class lease {
  public:
    lease(hypervisor& from, connection_ptr c) : from_{&from}, connection_{std::move(c)} {}
    lease(lease&&) noexcept = default;
    lease& operator=(lease&&) = delete;
    ~lease();
    virConnectPtr get() const noexcept { return connection_.get(); }

  private:
    hypervisor* from_;
    connection_ptr connection_;
  };

  /// Throws `hypervisor_error` where the daemon is not there. Whatever broke before is replaced by a new connection.
  lease connect();

  /// A new connection, for whoever keeps it.
  connection_ptr open() const;

  /// The turns of guests: whoever changes a machine has its guest's.
  guest_locks& turns() noexcept { return turns_; }

private:
  connection_ptr take_idle();
  void give_back(connection_ptr c);

  std::string uri_;
  std::mutex mutex_;
  std::vector<connection_ptr> idle_;
  guest_locks turns_;
};

/// What libvirt has by a guest's id.
struct machine_search {
  domain_ptr ours;     ///< the domain whose UUID is the id, and which is the guest's; null if there is none
  std::string foreign; ///< the name of a domain that has only one of them, and is somebody else's; empty: there is none
};

/// The domain with the guest's id is the guest's if its name is the id too. One of another name is only if it carries
/// the mark of an adoption and the guest says that it was adopted: an adoption that fails may leave a mark, with which
/// nobody who creates a guest of that id gets the domain. Throws `hypervisor_error` for any trouble but that there is no
/// such domain.
machine_search find_machine(virConnectPtr c, const rpc::guest& g);

/// Whether a mark alone makes a domain the guest's.
enum class by_mark : bool { no, yes };

/// The same, for those who have no more of a guest than its id.
machine_search find_machine(virConnectPtr c, const std::string& id, by_mark marked);

/// The domain of that UUID, whoever made it; null if there is none. Throws likewise.
domain_ptr find_domain(virConnectPtr c, const std::string& uuid);

/// All domains, whoever made them. Throws `hypervisor_error`.
std::vector<domain_ptr> all_domains(virConnectPtr c);

} // namespace mistify::agents
