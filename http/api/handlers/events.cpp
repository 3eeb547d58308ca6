#include "actors/config/config.hpp"
#include "actors/ids.hpp"
#include "http/api/event_view.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/parameters.hpp"
#include "http/api/views/event_stream.hpp"
#include "rpc/base/error.hpp"
#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;
using store::event_type;

namespace {

constexpr std::array types{event_type::guest_created, event_type::guest_changed,     event_type::guest_deleted,
                           event_type::job_queued,    event_type::job_started,       event_type::job_stage_done,
                           event_type::job_ended,     event_type::job_stage_skipped, event_type::guest_power};

/// Calls `f` with each element of a parameter, which may be a list and may be repeated.
template <class F>
void each_value(const request& from, const std::string& name, F f) {
  for (const auto& one : from.query) {
    if (one.name != name)
      continue;
    if (rpc::text::trim(one.value).empty())
      throw failure{errc::invalid_request, name + ": must not be empty"};
    rpc::text::each_element(one.value, ',', [&](std::string_view value) { f(std::string{value}); });
  }
}

/// Imported guests may have ids of any form; existing ids are accepted as they are.
std::string guest_of(const context& cx, std::string id) {
  if (id == actors::agent_runner || cx.guests.find(id))
    return id;
  if (!actors::is_uuid(id))
    throw failure{errc::invalid_request, "guest: must be the id of a guest, or agent"};
  std::transform(id.begin(), id.end(), id.begin(), rpc::text::lower);
  return id;
}

std::string action_of(std::string name) {
  const auto* kind = actors::find_action_kind(name);
  if (!kind || kind->type != actors::action_type::async)
    throw failure{errc::invalid_request, "action: must be one that is queued, such as reboot"};
  return name;
}

/// "job.ended", or "job" for all types with that prefix.
void add_types(std::set<event_type>& to, std::string_view name) {
  bool known = false;
  for (const auto type : types)
    if (const auto full = name_of(type); full == name || full.substr(0, full.find('.')) == name) {
      to.insert(type);
      known = true;
    }
  if (!known)
    throw failure{errc::invalid_request, "type: must be such as job.ended, or guest or job"};
}

event_filter filter_of(const context& cx, const request& from) {
  event_filter filter;
  each_value(from, "guest", [&](std::string id) { filter.guests.insert(guest_of(cx, std::move(id))); });
  each_value(from, "action", [&](std::string name) { filter.actions.insert(action_of(std::move(name))); });
  each_value(from, "type", [&](const std::string& name) { add_types(filter.types, name); });
  if (from.who->guests)
    filter.visible = [view = std::make_shared<event_view>(cx.jobs, from.who)](const store::event& one) {
      return view->sees(one);
    };
  return filter;
}

} // namespace

task<answer> get_events(context& cx, request& from) {
  auto filter = filter_of(cx, from);
  const auto behind = last_event_of(from).value_or(event_place{cx.events.last()});
  answer out;
  out.content_type = "text/event-stream";
  out.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  growing body;
  body.source = std::make_shared<event_stream>(event_stream::sources{cx.events, cx.jobs}, std::move(filter), behind);
  body.live_while = still_allowed(cx, from);
  body.share = from.who->key;
  out.body = std::move(body);
  co_return out;
}

} // namespace mistify::http::handlers
