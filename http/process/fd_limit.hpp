#pragma once

#include <cstddef>

namespace mistify::http {

/// Raises the limit of open descriptors to the maximum that the system allows, and returns it. The usual default,
/// 1024, is below `http.max_connections`: further clients would wait unaccepted instead of getting 503.
std::size_t raise_descriptor_limit() noexcept;

/// Returns how many of the `wanted` connections fit into `descriptors`, besides `calls` concurrent calls to
/// sub-agents and the agent's own descriptors. At least a small minimum.
std::size_t connections_that_fit(std::size_t wanted, std::size_t descriptors, std::size_t calls) noexcept;

} // namespace mistify::http
