#pragma once

#include "rpc/model/model.hpp"

namespace mistify::agents {

/// Throws std::invalid_argument that names the field if anything that becomes part of a domain's XML or of a path has
/// control characters, a nic's `network`, `model` or `device` is no name of such a thing, or two nics have one name.
/// The defaults of the guest are settled.
void expect_plain_text(const rpc::guest& g);

} // namespace mistify::agents
