#pragma once

#include <string>
#include <string_view>

namespace mistify::http {

/// The name of a request, from its header X-Request-ID through the log, its job and the calls to sub-agents: what the
/// client sent if that can stand in a log line, 1 to 128 visible ASCII characters; else a new one. Thread-safe.
std::string request_id_of(std::string_view sent);

} // namespace mistify::http
