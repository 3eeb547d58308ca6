#pragma once

#include "actors/requests.hpp"
#include "http/api/handlers/context.hpp"
#include "http/protocol/message.hpp"
#include "rpc/client/client.hpp"

#include <string>

namespace mistify::http::handlers {

/// A download that passes on what the service of `grant` streams for `wish`, JSON text. It holds the places of `grant`
/// while it runs, and a thread of the server. A refusal of the sub-agent becomes the answer.
streamed passed_stream(context& cx, const request& from, const actors::stream_grant& grant, std::string wish,
                       const rpc::download_times& times);

} // namespace mistify::http::handlers
