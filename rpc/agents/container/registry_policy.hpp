#pragma once

#include "rpc/agents/container/image_names.hpp"

#include <string>
#include <vector>

namespace mistify::agents::container {

/// The registry of a whole reference, without its port: "registry.example.org".
std::string registry_host(const image_tag& of);

/// Throws `fetching::source_refused` if the registry's name leads to an address that images may not come from: any but those
/// of the Internet and of `allowed` (CIDR). Blocks for a look-up of the name; the engine reports one that fails. The engine
/// connects later and by its own look-up, so this keeps clients from the host's networks, but does not stop a name server
/// that answers differently.
void expect_registry(const image_tag& of, const std::vector<std::string>& allowed);

} // namespace mistify::agents::container
