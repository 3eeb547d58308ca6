#pragma once

#include "http/api/router.hpp"
#include "http/server/server.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace mistify::http {

/// The whole API, row by row.
const std::vector<route>& routes();

/// Returns how many bytes the body of a request may have, by its route; SIZE_MAX where only `http.max_body` counts.
std::size_t largest_body(std::string_view method, std::string_view target);

/// Dispatches requests over the table: 404 for an unknown path, 405 with Allow for another method, else the row's
/// handler. `state` must outlive what it returns.
handler dispatch(context& state);

} // namespace mistify::http
