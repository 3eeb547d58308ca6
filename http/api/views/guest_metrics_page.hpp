#pragma once

#include "actors/guests/guest_metrics_cache.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace mistify::http {

/// Writes the metrics in the text format of Prometheus, in pieces, until `write` returns false.
void show_guest_metrics(const std::vector<actors::guest_metrics_cache::entry>& all,
                        const std::function<bool(std::string_view)>& write);

} // namespace mistify::http
