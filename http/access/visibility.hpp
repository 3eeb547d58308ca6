#pragma once

#include "http/access/principal.hpp"
#include "store/guest_index.hpp"

#include <string_view>

/// Which guests an identity may know of. Lists, jobs, events and metrics all ask here. Thread-safe.
namespace mistify::http {

/// True if `who` may see that guest.
bool sees(const principal& who, const store::stored_guest& guest);

/// The same by id, of guests as they are now. An identity with a selector sees neither the hypervisor's jobs (`agent`)
/// nor a guest that is gone, unless its id is selected.
bool sees_guest(const principal& who, const store::guest_index& guests, std::string_view id);

/// The same for a guest that is gone, or as it was earlier: null are no labels.
bool sees_as(const principal& who, std::string_view id, const rpc::metadata_map* labels);

} // namespace mistify::http
