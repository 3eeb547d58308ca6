#include "http/access/visibility.hpp"
#include "http/api/guest_metrics_cache.hpp"
#include "http/api/guest_metrics_collector.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/prometheus_writer.hpp"

namespace mistify::http::handlers {

/// Asks nobody: it answers whatever hangs.
task<answer> get_agent_metrics(context& cx, request) {
  answer out;
  out.content_type = exposition::content_type;
  out.body = render(cx.measured);
  co_return out;
}

/// What is shown is what earlier scrapes had fetched; this one has it fetched for the next. Of many guests it is a long
/// page: it is written on a thread of its own, which no download holds up.
task<answer> get_guests_metrics(context& cx, request from) {
  answer out;
  out.content_type = exposition::content_type;
  out.stream = [&cx, who = from.who](download_channel& to) {
    auto known = cx.figures.all(); // first: a quick sub-agent may answer before the page is written
    std::erase_if(known, [&](const auto& one) { return !sees_guest(*who, cx.guests, one->guest); });
    cx.refresh.want();
    to.begin(-1);
    show_figures(known, [&](std::string_view piece) { return to.write(piece); });
    return answer{};
  };
  out.brief = true;
  co_return out;
}

} // namespace mistify::http::handlers
