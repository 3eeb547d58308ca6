#include "http/api/guest_metrics_cache.hpp"
#include "http/api/guest_metrics_collector.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/prometheus_writer.hpp"

namespace mistify::http::handlers {

/// Uses no actor, so it responds even if actors hang.
task<answer> get_agent_metrics(context& cx, request) {
  answer out;
  out.content_type = exposition::content_type;
  out.body = render(cx.measured);
  co_return out;
}

/// Shows the metrics fetched by earlier scrapes and starts a fetch for the next one. The page may be long, so a
/// thread of its own writes it, independent of downloads.
task<answer> get_guests_metrics(context& cx, request) {
  answer out;
  out.content_type = exposition::content_type;
  out.stream = [&figures = cx.figures, &refresh = cx.refresh](download_channel& to) {
    const auto known = figures.all(); // first: a fast sub-agent may respond before the page is written
    refresh.want();
    to.begin(-1);
    show_figures(known, [&](std::string_view piece) { return to.write(piece); });
    return answer{};
  };
  out.brief = true;
  co_return out;
}

} // namespace mistify::http::handlers
