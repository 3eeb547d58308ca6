#include "http/api/routes.hpp"

#include "actors/config/config.hpp"
#include "actors/ids.hpp"
#include "http/access/gatekeeper.hpp"
#include "http/api/error_map.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/judge.hpp"
#include "http/api/request_log.hpp"
#include "http/api/request_metrics.hpp"
#include "http/protocol/body_depth.hpp"
#include "http/protocol/request_parser.hpp"
#include "http/server/share_table.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/error.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/http1/target.hpp"

#include <algorithm>
#include <utility>

namespace mistify::http {

namespace {

using enum actors::scope;
using namespace handlers;

constexpr auto nothing = requirement::nothing(), identity = requirement::identity(),
               by_action = requirement::by_action(), by_job = requirement::by_job();

/// The largest body of routes that take a few words. Their longest text is the reason of a maintenance, 1 KiB; the rest is
/// for members that nobody reads.
constexpr std::size_t small = 64 * 1024;

const std::vector<route> table{
  {"GET", "/metadata", read, get_metadata},
  {"PATCH", "/metadata", metadata, patch_metadata},

  {"GET", "/images", read, list_images, "type name opts"},
  {"POST", "/images", image, fetch_image},
  {"GET", "/images/{image}", read, get_image, "type name opts"},
  {"DELETE", "/images/{image}", image, delete_image, "type name opts"},
  {"GET", "/container_images", read, list_container_images, "name opts"},
  {"POST", "/container_images", image, fetch_container_image},
  {"GET", "/container_images/{image}", read, get_container_image, "name opts"},
  {"DELETE", "/container_images/{image}", image, delete_container_image, "name opts"},

  {.method = "GET",
   .pattern = "/guests",
   .asks = read,
   .handle = list_guests,
   .query = "name label state fields limit after",
   .lists = "label"},
  {"POST", "/guests", guest, create_guest},
  {"GET", "/guests/unmanaged", admin, list_unmanaged},
  {"POST", "/guests/adopt", admin, adopt_guest},
  {"GET", "/guests/{guest}", read, get_guest},
  {"DELETE", "/guests/{guest}", guest, delete_guest, "force preempt"},
  {"PATCH", "/guests/{guest}", guest, patch_guest},
  {"GET", "/guests/{guest}/pending", read, get_pending},
  {"GET", "/guests/{guest}/log", console, get_guest_log, "tail offset limit follow"},
  {"POST", "/guests/{guest}/disks", guest, attach_disk},
  {"DELETE", "/guests/{guest}/disks/{disk}", guest, detach_disk, "delete apply"},
  {"POST", "/guests/{guest}/disks/{disk}/resize", guest, resize_disk, {}, small},
  {"POST", "/guests/{guest}/nics", guest, attach_nic},
  {"DELETE", "/guests/{guest}/nics/{nic}", guest, detach_nic, "apply"},
  {"GET", "/guests/{guest}/metadata", read, get_guest_metadata},
  {"PATCH", "/guests/{guest}/metadata", metadata, patch_guest_metadata},
  {"PUT", "/guests/{guest}/state", report, report_state, {}, small},
  {"GET", "/guests/{guest}/metrics/cpu", read, get_cpu_metrics},
  {"GET", "/guests/{guest}/metrics/disk", read, get_disk_metrics},
  {"GET", "/guests/{guest}/metrics/nic", read, get_nic_metrics},
  {"GET", "/guests/{guest}/jobs", read, list_guest_jobs, "status action guest code since before limit stages"},
  {"GET", "/guests/{guest}/jobs/{job}", read, get_guest_job, "wait stages"},
  {.method = "GET",
   .pattern = "/guests/{guest}/{action}",
   .asks = by_action,
   .handle = act_on_guest_by_get,
   .query = "preempt keep_wanted",
   .acts = true},
  {"POST", "/guests/{guest}/{action}", by_action, act_on_guest, "preempt keep_wanted"},

  {"GET", "/guests/{guest}/snapshots", read, list_snapshots},
  {"POST", "/guests/{guest}/snapshots", snapshot, create_snapshot, {}, small},
  {"GET", "/guests/{guest}/snapshots/{snapshot}", read, get_snapshot},
  {"DELETE", "/guests/{guest}/snapshots/{snapshot}", snapshot, delete_snapshot},
  {"POST", "/guests/{guest}/snapshots/{snapshot}/rollback", snapshot, rollback_snapshot, {}, small},
  {"GET", "/guests/{guest}/snapshots/{snapshot}/download", data, download_snapshot},
  {"GET", "/guests/{guest}/disks/{disk}/snapshots", read, list_disk_snapshots},
  {"POST", "/guests/{guest}/disks/{disk}/snapshots", snapshot, create_disk_snapshot, {}, small},
  {"GET", "/guests/{guest}/disks/{disk}/snapshots/{snapshot}", read, get_disk_snapshot},
  {"DELETE", "/guests/{guest}/disks/{disk}/snapshots/{snapshot}", snapshot, delete_disk_snapshot},
  {"POST", "/guests/{guest}/disks/{disk}/snapshots/{snapshot}/rollback", snapshot, rollback_disk_snapshot, {}, small},
  {"GET", "/guests/{guest}/disks/{disk}/snapshots/{snapshot}/download", data, download_disk_snapshot},

  {"GET", "/jobs", read, list_jobs, "status action guest code since before limit stages"},
  {"GET", "/jobs/{job}", read, get_job, "wait stages"},
  {"DELETE", "/jobs/{job}", by_job, cancel_job},
  {"PUT", "/jobs/{job}/progress", report, report_progress, {}, small},

  {"GET", "/host", read, get_host},
  {"PUT", "/host/maintenance", admin, set_maintenance, {}, small},

  {"GET", "/openapi.json", nothing, get_description},
  {"GET", "/docs", nothing, get_docs},
  {"GET", "/pages/{file}", nothing, get_page_part},

  {.method = "GET",
   .pattern = "/events",
   .asks = read,
   .handle = get_events,
   .query = "last_event_id guest action type",
   .lists = "guest action type"},

  {"GET", "/whoami", identity, get_identity},
  {"GET", "/tokens", admin, list_tokens},
  {"POST", "/tokens", admin, create_token},
  {"DELETE", "/tokens/{token}", admin, delete_token},
  {"POST", "/tokens/{token}/rotate", admin, rotate_token, {}, small},
  {"GET", "/audit", admin, list_audit, "who how scope decision guest path since before limit"},

  {"POST", "/host/leave", admin, leave_host, "force", small},

  {"GET", "/config", admin, get_config},

  {"GET", "/healthz", nothing, get_health},
  {"GET", "/readyz", nothing, get_readiness},
  {"GET", "/metrics", metrics, get_agent_metrics},
  {"GET", "/metrics/guests", metrics, get_guests_metrics},

  {"GET", "/debug/log-level", debug, get_log_level},
  {"PUT", "/debug/log-level", debug, set_log_level, {}, small},
  {.method = "GET",
   .pattern = "/debug/actors",
   .asks = debug,
   .handle = list_actors,
   .query = "kind guest search idle stuck limit patience",
   .has_page = true},
  {.method = "GET",
   .pattern = "/debug/actors/{actor}",
   .asks = debug,
   .handle = get_actor,
   .query = "patience",
   .has_page = true},
  {"GET", "/debug/pprof", debug, get_pprof_index, "*"},
  {"GET", "/debug/pprof/profile", debug, get_cpu_profile, "*"},
  {"GET", "/debug/pprof/heap", debug, get_heap_profile, "*"},
  {"GET", "/debug/pprof/growth", debug, get_growth_profile, "*"},
  {"GET", "/debug/pprof/threadcreate", debug, get_threads, "*"},
  {"GET", "/debug/pprof/symbol", debug, get_symbols, "*"},
  {"POST", "/debug/pprof/symbol", debug, look_up_symbols, "*"},
  {"GET", "/debug/pprof/cmdline", debug, get_command_line, "*"},
};

const router& rows() {
  static const router built{table};
  return built;
}

task<answer> refuse(answer refusal) {
  co_return refusal;
}

/// UUIDs are the same in either case, and stored in lower case; but guests that were taken over keep their ids as they
/// were.
void fold_guest_id(const context& state, path_captures& captures) {
  auto* id = captures.find("guest");
  const auto is_upper = [](char c) { return rpc::text::lower(c) != c; };
  if (!id || std::ranges::none_of(*id, is_upper))
    return;
  if (!state.guests.find(*id) && actors::is_uuid(*id))
    std::ranges::transform(*id, id->begin(), rpc::text::lower);
}

/// Nothing that the agent names is "." or "..": a client that did not resolve its path means something else.
bool has_dot_segment(const path_captures& captures) {
  return std::ranges::any_of(captures, [](const auto& one) { return one.value == "." || one.value == ".."; });
}

/// No id and no name of the agent has control characters, and sub-agents make paths of them.
void expect_no_controls(const path_captures& captures) {
  for (const auto& one : captures)
    if (rpc::has_control(one.value))
      throw rpc::failure{rpc::errc::invalid_request, "the path: control characters are not allowed"};
}

/// False for an action that does not exist: the handler says so, whatever its parameters are.
bool is_known(const router::match& found) {
  return found.row->asks.what() != requirement::kind::action || actors::find_action_kind(found.captures["action"]);
}

task<answer> route_to(context& state, router::match&& found, request& incoming) {
  if (found.allowed.empty() || has_dot_segment(found.captures))
    return refuse(error_answer(404, "not found"));
  // A HEAD must not set anything going, and a GET of an action does.
  if (!found.row || (found.row->acts && incoming.head_only))
    return refuse(method_not_allowed(std::string{found.allowed}));
  if (const auto* unknown = unknown_parameter(*found.row, incoming); unknown && is_known(found))
    throw rpc::failure{rpc::errc::invalid_request,
                       rpc::cut_text(*unknown, 100) + ": is no query parameter of this route"};
  if (const auto* doubled = doubled_parameter(*found.row, incoming))
    throw rpc::failure{rpc::errc::invalid_request, *doubled + ": is given twice"};
  expect_no_controls(found.captures);
  incoming.captures = std::move(found.captures);
  return found.row->handle(state, incoming);
}

/// Throws for what comes too often of one client, or is nested too deeply.
void check_bounds(const context& state, const request& from) {
  if (from.body.empty())
    return;
  const auto most = state.settings.get()->limit.nesting;
  if (const auto at = too_deep_at(from.body, most))
    throw rpc::failure{rpc::errc::invalid_request, "nested too deeply at byte " + std::to_string(*at) + ": more than " +
                                                     std::to_string(most) + " levels"};
}

/// A handler may fail before it begins to be a coroutine.
task<answer> answer_to(context& state, router::match&& found, request& incoming) {
  try {
    check_bounds(state, incoming);
    return route_to(state, std::move(found), incoming);
  } catch (...) {
    return refuse(error_answer(std::current_exception()));
  }
}

/// Refused requests count as well; otherwise a client without rights could fill the log.
bool admits(request_rates& rates, const request& from) {
  if (rates.off())
    return true;
  const bool named = from.who && !from.who->key.empty();
  return rates.admit(named         ? from.who->key
                     : from.client ? share_key(*from.client)
                                   : from.peer,
                     request_rates::clock::now());
}

answer refuse_by_rate(const request_rates& rates) {
  return error_answer(rpc::failure{rpc::errc::queue_full, "more than " + std::to_string(rates.per_second()) +
                                                            " requests a second of one client"});
}

/// Null where the request bears a token that is not valid.
principal_ptr client_of(const context& state, const request& from) {
  static const peer_identity unknown{};
  if (state.gate.rules()->is_open())
    return unrestricted();
  const auto authorization = from.headers.find("authorization");
  if (authorization && authorization->empty())
    return nullptr; // a script whose variable is not set
  return state.gate.identify(from.client ? *from.client : unknown, authorization.value_or(""),
                             gatekeeper::clock::now());
}

} // namespace

const std::vector<route>& routes() {
  return table;
}

std::size_t largest_body(std::string_view method, std::string_view target) {
  std::vector<std::string> segments;
  const auto* row = split_path(rpc::http1::path_of(target), segments) ? rows().find(method, segments).row : nullptr;
  return row ? row->largest_body : SIZE_MAX;
}

handler dispatch(context& state) {
  return [&state, rates = std::make_shared<request_rates>(0),
          seen = std::make_shared<table_metrics>(state.measured, table)](request&& incoming) -> task<answer> {
    auto found = rows().find(incoming.method, incoming.segments);
    fold_guest_id(state, found.captures);
    incoming.who = client_of(state, incoming);
    rates->set_rate(state.settings.get()->limit.requests_per_second);
    const bool too_often = !admits(*rates, incoming);
    const auto scope = needed_scope(state, found, incoming.who.get());
    auto no = too_often ? std::optional{refuse_by_rate(*rates)} : refuse_request(state, found, incoming);
    auto& in = seen->of(found.row);
    request_log_entry note{&state.trail, incoming, found.row, found.captures, {no && !too_often, scope}};
    incoming.audit = note.entry();
    return observed(in, std::move(note), no ? refuse(*std::move(no)) : answer_to(state, std::move(found), incoming));
  };
}

} // namespace mistify::http
