#pragma once

#include "actors/host/host_state.hpp"
#include "rpc/base/json.hpp"

#include <string>

namespace mistify::http {

/// The body of GET /host.
std::string host_json(const actors::host_view& host);

/// Adds the member `maintenance`: `{"on":…,"reason":…,"since":…}`, the last two only while it is on.
void write_maintenance(rpc::json::writer& out, const store::maintenance& now);

} // namespace mistify::http
