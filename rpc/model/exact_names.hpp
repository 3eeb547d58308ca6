#pragma once

#include "rpc/model/model.hpp"

#include <optional>
#include <string>

namespace mistify::rpc {

/// An unknown member whose name differs from a known one only in case.
struct inexact_name {
  std::string path;  ///< "nics[0].Model"
  std::string known; ///< "model"
};

/// Returns the first such member of the guest, its nics or its disks; null if there is none. Keys of metadata are
/// free.
///
/// Readers written in Go treat such a member as the known one, and use the last of both (encoding/json folds names as
/// Unicode does: `ſ` is an s, the Kelvin sign is a k). The agent would then check one value and a sub-agent use
/// another.
std::optional<inexact_name> find_inexact_name(const guest& in);

/// The same for a client's request to an image store; includes `args`, which the agent adds.
std::optional<inexact_name> find_inexact_name(const image_request& in);

/// Throws `failure{invalid_request}` that names the member.
void expect_exact_names(const guest& from_client);
void expect_exact_names(const image_request& from_client);

} // namespace mistify::rpc
