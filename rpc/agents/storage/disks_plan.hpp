#pragma once

#include "rpc/agents/storage/disks.hpp"

#include <optional>
#include <vector>

/// Private to `disks`.
namespace mistify::agents::storage {

/// What has to be made so that a guest has its disks.
struct disks::plan {
  struct missing {
    std::size_t index;
    dataset_id id;
    std::optional<dataset_id> image;
    std::uint64_t size; ///< bytes
    std::optional<room::claim> space = {};
  };
  rpc::guest guest; // with its sizes, and what is there already filled in
  std::vector<missing> to_make;
  std::vector<dataset_id> volumes;  // of each disk that is the store's
  std::vector<dataset_id> to_claim; // those of them that nobody has yet
};

/// The stage's arg `clone`; throws std::invalid_argument for anything but overlay and full.
clone_kind kind_of(const rpc::guest_request& request);

} // namespace mistify::agents::storage
