#pragma once

#include "rpc/model/model.hpp"

#include <optional>
#include <string>

namespace mistify::rpc {

/// A member that the agent does not know because its name is a known one in another case.
struct inexact_name {
  std::string path;  ///< "nics[0].Model"
  std::string known; ///< "model"
};

/// The first such member of the guest, its nics or its disks; none in the usual case. Keys of metadata are free.
///
/// Readers written in Go take such a member for the known one, and the last of both wins (encoding/json folds names as
/// Unicode does: `ſ` is an s, the Kelvin sign is a k). So the agent would check one value, and a sub-agent use another.
std::optional<inexact_name> find_inexact_name(const guest& in);

/// Of what a client asks of an image store, where the agent adds `args`.
std::optional<inexact_name> find_inexact_name(const image_request& in);

/// Throws `failure{invalid_request}` that names the member.
void expect_exact_names(const guest& from_client);
void expect_exact_names(const image_request& from_client);

} // namespace mistify::rpc
