#pragma once

#include "store/jobs.hpp"

#include <string_view>
#include <vector>

namespace mistify::store {

/// True for jobs that delete an image or a snapshot.
bool deletes_part(std::string_view action) noexcept;

/// Returns the unfinished job that a request to delete an image or a snapshot repeats; null if there is none. A delete
/// behind a job that makes such an image or snapshot anew is another one. `open`: the unfinished jobs of the guest or of
/// `agent`, newest first.
const open_job* find_repeated_delete(const std::vector<open_job>& open, std::string_view action,
                                     std::string_view request);

} // namespace mistify::store
