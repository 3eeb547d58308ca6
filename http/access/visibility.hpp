#pragma once

#include "http/access/principal.hpp"
#include "store/guest_index.hpp"

#include <string_view>

/// Which guests an identity may know of. Lists, jobs, events and metrics all ask here. Thread-safe.
namespace mistify::http {

/// True if `who` may see that guest.
bool sees(const principal& who, const store::stored_guest& guest);

/// The same by id, for jobs and events. An identity with a selector sees neither the hypervisor's jobs (`agent`) nor
/// those of a guest that is gone, unless its id is selected.
bool sees_guest(const principal& who, const store::guest_index& guests, std::string_view id);

} // namespace mistify::http
