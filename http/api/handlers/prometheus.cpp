#include "http/access/visibility.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/guest_metrics_page.hpp"
#include "http/api/views/prometheus_writer.hpp"

#include <algorithm>
#include <array>

namespace mistify::http::handlers {

namespace {

/// Figures of all guests and their jobs, and of the host, which an identity that is limited to some guests does not see.
bool counts_all_guests(std::string_view family) {
  constexpr std::array<std::string_view, 4> of_all{"mistify_guests", "mistify_host_", "mistify_job", "mistify_work_"};
  return std::ranges::any_of(of_all, [&](std::string_view one) { return family.starts_with(one); });
}

} // namespace

/// Waits for no actor, so it responds even if actors hang: the figures of the host are those that an earlier scrape had
/// fetched.
task<answer> get_agent_metrics(context& cx, request& from) {
  cx.agents.refresh_host().sender()([](const auto&) {});
  answer out;
  out.content_type = prometheus_writer::content_type;
  out.body = render(cx.measured, [limited = from.who->guests.has_value()](std::string_view name) {
    return !limited || !counts_all_guests(name);
  });
  co_return out;
}

/// Shows the metrics fetched by earlier scrapes and starts a fetch for the next one. The page may be long, so a
/// thread of its own writes it, independent of downloads.
task<answer> get_guests_metrics(context& cx, request& from) {
  answer out;
  out.content_type = prometheus_writer::content_type;
  auto write = [&cx, who = from.who](download_channel& to) {
    auto known = cx.figures.all(); // first: a quick sub-agent may answer before the page is written
    std::erase_if(known, [&](const auto& one) { return !sees_guest(*who, cx.guests, one->guest); });
    cx.agents.want_guest_metrics();
    to.begin(-1);
    show_guest_metrics(known, [&](std::string_view piece) { return to.write(piece); });
    return answer{};
  };
  out.body = streamed{std::move(write), stream_kind::page};
  co_return out;
}

} // namespace mistify::http::handlers
