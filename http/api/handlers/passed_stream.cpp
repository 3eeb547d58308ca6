#include "http/api/handlers/passed_stream.hpp"

#include "http/api/error_map.hpp"
#include "http/api/handlers/common.hpp"

#include <utility>

namespace mistify::http::handlers {

namespace {

/// Copies from the sub-agent to the client, on a thread of the server for its whole duration.
answer pump(rpc::client& source, const std::string& wish, const rpc::download_times& times,
            const std::string& request_id, download_channel& to) {
  const rpc::download_sink sink{[&](std::int64_t length) { to.begin(length); },
                                [&](std::string_view bytes) { return to.write(bytes); },
                                [&](int from, std::size_t most) { return to.relay(from, most); }};
  answer end;
  try {
    if (source.download(wish, times, to.client_gone(), sink, {request_id}) != rpc::download_end::complete)
      end.status = 502; // aborts the transfer
  } catch (...) {
    end = error_answer(std::current_exception());
  }
  return end;
}

} // namespace

streamed passed_stream(context& cx, const request& from, const actors::stream_grant& grant, std::string wish,
                       const rpc::download_times& times) {
  streamed out;
  out.live_while = still_allowed(cx, from);
  out.run = [source = cx.client_of(grant.service), grant, wish = std::move(wish), times,
             id = from.id](download_channel& to) { return pump(*source, wish, times, id, to); };
  return out;
}

} // namespace mistify::http::handlers
