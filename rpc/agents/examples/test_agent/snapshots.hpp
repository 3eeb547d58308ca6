#pragma once

#include "rpc/model/messages.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents {

/// Snapshots of imaginary volumes, named `guests/{id}[/disk-{d}]@{name}`. Thread-safe.
class snapshots {
public:
  /// Lists the snapshots of the entity and everything below it: `guests/x` includes those of its disks.
  rpc::snapshot_response list(const rpc::snapshot_request& request) const;
  rpc::snapshot_response get(const rpc::snapshot_request& request) const;

  /// Creates the snapshot `dest` of the entity `id`; errors: `need an id`, `need a dest`, `already exists`.
  rpc::snapshot_response create(const rpc::snapshot_request& request);

  /// `recursive` also removes those of the same name below the entity.
  rpc::snapshot_response remove(const rpc::snapshot_request& request);

  /// Throws if newer snapshots exist, unless the request destroys them.
  rpc::snapshot_response rollback(const rpc::snapshot_request& request);

  /// Writes pseudo-random data of the snapshot's size in MB; the same name always gives the same data. Returns false
  /// if `write` did.
  static bool write_data(const rpc::snapshot& of, const std::function<bool(std::string_view)>& write);

  /// Removes all snapshots of a guest.
  void forget(std::string_view guest_id);

private:
  using list_of = std::vector<rpc::snapshot>;
  list_of::const_iterator find(const std::string& id) const;

  mutable std::mutex mutex_;
  list_of made_; // oldest first
};

} // namespace mistify::agents
