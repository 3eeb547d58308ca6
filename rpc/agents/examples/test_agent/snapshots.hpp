#pragma once

#include "rpc/model/messages.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents {

/// Snapshots of volumes that are not there, named `guests/{id}[/disk-{d}]@{name}`. Thread-safe.
class snapshots {
public:
  /// With everything below the entity: `guests/x` lists the snapshots of its disks as well.
  rpc::snapshot_response list(const rpc::snapshot_request& request) const;
  rpc::snapshot_response get(const rpc::snapshot_request& request) const;

  /// Makes the snapshot `dest` of the entity `id`; errors: `need an id`, `need a dest`, `already exists`.
  rpc::snapshot_response create(const rpc::snapshot_request& request);

  /// `recursive` takes those of that name below the entity along.
  rpc::snapshot_response remove(const rpc::snapshot_request& request);

  /// Refused where newer ones exist, unless they are to be destroyed.
  rpc::snapshot_response rollback(const rpc::snapshot_request& request);

  /// Writes as many MB of pseudo-data as the snapshot is large, always the same for the same name. False when `write`
  /// said so.
  static bool write_data(const rpc::snapshot& of, const std::function<bool(std::string_view)>& write);

  /// Forgets everything of a guest.
  void forget(std::string_view guest_id);

private:
  using list_of = std::vector<rpc::snapshot>;
  list_of::const_iterator find(const std::string& id) const;

  mutable std::mutex mutex_;
  list_of made_; // oldest first
};

} // namespace mistify::agents
