#pragma once

#include "rpc/agents/storage/place.hpp"
#include "rpc/model/messages.hpp"

#include <filesystem>
#include <string>

namespace mistify::agents::storage {

/// The seeds of guests, which tell their first boot what to do: files seeds/ID.iso of the store's folder. They are no
/// disks of the guests, and in no snapshot. Thread-safe.
class seeds {
public:
  explicit seeds(place& where) : place_{where} {}

  /// Makes the seed of a guest with `cloud_init`, in the place of an earlier one; others have none. Gives nics without a
  /// mac one, see make_seed_files. Throws std::invalid_argument that names the member, std::runtime_error (`no space left
  /// on device`), std::system_error.
  rpc::guest_response create(const rpc::guest_request& request);

  /// One that is not there is no error.
  void remove(const std::string& guest);

private:
  std::filesystem::path file_of(const dataset_id& guest) const;

  place& place_;
};

} // namespace mistify::agents::storage
