#pragma once

#include "http/api/router.hpp"
#include "http/server/server.hpp"

#include <vector>

namespace mistify::http {

/// The whole API, row by row.
const std::vector<route>& routes();

/// Dispatches requests over the table: 404 for an unknown path, 405 with Allow for another method, else the row's
/// handler. `state` must outlive what it returns.
handler dispatch(context& state);

} // namespace mistify::http
