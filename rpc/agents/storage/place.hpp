#pragma once

#include "rpc/agents/guest_locks.hpp"
#include "rpc/agents/storage/backend.hpp"

#include <string_view>

namespace mistify::agents::storage {

/// A backend, with calls on one guest or volume taking turns. What the methods share.
class place {
public:
  explicit place(backend& where) : backend_{where} {}

  backend& store() const noexcept { return backend_; }

  /// Waits until nobody else changes the guest that the dataset belongs to, or the dataset itself.
  guest_locks::turn take(const dataset_id& id) { return locks_.take(id.guest().value_or(id.text())); }

  /// A name as it came in: with the pool in front of it, as the original wanted it, or without.
  std::string_view without_prefix(std::string_view name) const {
    if (name.starts_with(backend_.prefix()))
      name.remove_prefix(backend_.prefix().size());
    return name;
  }
  dataset_id dataset(std::string_view name) const { return dataset_id::parse(without_prefix(name)); }

private:
  backend& backend_;
  guest_locks locks_;
};

} // namespace mistify::agents::storage
