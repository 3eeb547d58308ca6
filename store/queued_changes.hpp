#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"
#include "store/jobs.hpp"

#include <string_view>
#include <vector>

namespace mistify::store {

/// Judges a change of a guest's disks and nics by what the queued changes will make of the guest, so that a client
/// learns at once what its job would otherwise fail with. Throws `failure{conflict}` for a disk's device or volume, or a
/// nic's name, that the guest has by then, for a smaller size, and for a disk that is being detached. `open`: the
/// guest's unfinished jobs, newest first. `change` and `wish`: see guest_wish.hpp.
void expect_possible_behind(const rpc::guest& guest, const std::vector<open_job>& open, std::string_view change,
                            const rpc::json::node& wish);

} // namespace mistify::store
