#pragma once

#include <cstddef>

namespace mistify::http {

/// Lets this process have as many descriptors open as the system allows it, and returns how many that are. A shell gives
/// 1024, fewer than `http.max_connections`: clients beyond them would wait unaccepted instead of being told 503.
std::size_t raise_descriptor_limit() noexcept;

/// How many of the `wanted` connections fit into so many descriptors beside those that calls to sub-agents take,
/// `calls` at a time, and those of the agent's own. At least a few, however few there are.
std::size_t connections_that_fit(std::size_t wanted, std::size_t descriptors, std::size_t calls) noexcept;

} // namespace mistify::http
