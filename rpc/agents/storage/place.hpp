#pragma once

#include "rpc/agents/guest_locks.hpp"
#include "rpc/agents/storage/backend.hpp"

#include <mutex>
#include <stdexcept>
#include <string_view>

namespace mistify::agents::storage {

/// A backend, with calls on one guest or volume taking turns. What the methods share.
class place {
public:
  explicit place(backend& where) : backend_{where} {}

  backend& store() const noexcept { return backend_; }

  /// Waits until nobody else changes the guest that the dataset belongs to, or the dataset itself.
  guest_locks::turn take(const dataset_id& id) { return locks_.take(id.guest().value_or(id.text())); }

  /// Held from the look at a volume's owner until the new one is written, or the volume is gone.
  std::mutex& owners() noexcept { return owners_; }

  /// A name as it came in: with the pool in front of it, as the original wanted it, or without.
  std::string_view without_prefix(std::string_view name) const {
    if (name.starts_with(backend_.prefix()))
      name.remove_prefix(backend_.prefix().size());
    return name;
  }
  dataset_id dataset(std::string_view name) const { return dataset_id::parse(without_prefix(name)); }
  /// The name of a volume that is to be made for no guest in particular. Throws std::invalid_argument for an image's, and for
  /// what lies in a guest's folder: the guest would get it as its disk, with what somebody else put into it.
  dataset_id free_volume(std::string_view name) const {
    auto id = dataset(name);
    if (id.is_image())
      throw std::invalid_argument{"invalid id: " + id.text() + " is an image's name"};
    if (id.guest())
      throw std::invalid_argument{"invalid id: " + id.text() + " is in a guest's folder, whose disks are made with it"};
    return id;
  }

private:
  backend& backend_;
  guest_locks locks_;
  std::mutex owners_;
};

} // namespace mistify::agents::storage
