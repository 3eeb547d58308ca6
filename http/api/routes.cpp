#include "http/api/routes.hpp"

#include "actors/ids.hpp"
#include "http/api/client_access.hpp"
#include "http/api/door.hpp"
#include "http/api/error_map.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/request_log.hpp"
#include "http/api/request_metrics.hpp"
#include "http/protocol/body_depth.hpp"
#include "http/server/share_table.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/error.hpp"
#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <utility>

namespace mistify::http {

namespace {

using enum access;
using namespace handlers;

const std::vector<route> table{
  {"GET", "/metadata", read, get_metadata},
  {"PATCH", "/metadata", write, patch_metadata},

  {"GET", "/images", read, list_images},
  {"POST", "/images", write, fetch_image},
  {"GET", "/images/{image}", read, get_image},
  {"DELETE", "/images/{image}", write, delete_image},
  {"GET", "/container_images", read, list_container_images},
  {"POST", "/container_images", write, fetch_container_image},
  {"GET", "/container_images/{image}", read, get_container_image},
  {"DELETE", "/container_images/{image}", write, delete_container_image},

  {"GET", "/guests", read, list_guests},
  {"POST", "/guests", write, create_guest},
  {"GET", "/guests/{guest}", read, get_guest},
  {"DELETE", "/guests/{guest}", write, delete_guest},
  {"GET", "/guests/{guest}/metadata", read, get_guest_metadata},
  {"PATCH", "/guests/{guest}/metadata", write, patch_guest_metadata},
  {"PUT", "/guests/{guest}/state", report, report_state},
  {"GET", "/guests/{guest}/metrics/cpu", read, get_cpu_metrics},
  {"GET", "/guests/{guest}/metrics/disk", read, get_disk_metrics},
  {"GET", "/guests/{guest}/metrics/nic", read, get_nic_metrics},
  {"GET", "/guests/{guest}/jobs", read, list_guest_jobs},
  {"GET", "/guests/{guest}/jobs/{job}", read, get_guest_job},
  {"GET", "/guests/{guest}/{action}", write, act_on_guest_by_get},
  {"POST", "/guests/{guest}/{action}", write, act_on_guest},

  {"GET", "/guests/{guest}/snapshots", read, list_snapshots},
  {"POST", "/guests/{guest}/snapshots", write, create_snapshot},
  {"GET", "/guests/{guest}/snapshots/{snapshot}", read, get_snapshot},
  {"DELETE", "/guests/{guest}/snapshots/{snapshot}", write, delete_snapshot},
  {"POST", "/guests/{guest}/snapshots/{snapshot}/rollback", write, rollback_snapshot},
  {"GET", "/guests/{guest}/snapshots/{snapshot}/download", read, download_snapshot},
  {"GET", "/guests/{guest}/disks/{disk}/snapshots", read, list_disk_snapshots},
  {"POST", "/guests/{guest}/disks/{disk}/snapshots", write, create_disk_snapshot},
  {"GET", "/guests/{guest}/disks/{disk}/snapshots/{snapshot}", read, get_disk_snapshot},
  {"DELETE", "/guests/{guest}/disks/{disk}/snapshots/{snapshot}", write, delete_disk_snapshot},
  {"POST", "/guests/{guest}/disks/{disk}/snapshots/{snapshot}/rollback", write, rollback_disk_snapshot},
  {"GET", "/guests/{guest}/disks/{disk}/snapshots/{snapshot}/download", read, download_disk_snapshot},

  {"GET", "/jobs", read, list_jobs},
  {"GET", "/jobs/{job}", read, get_job},
  {"DELETE", "/jobs/{job}", write, cancel_job},
  {"PUT", "/jobs/{job}/progress", report, report_progress},

  {"GET", "/openapi.json", read, get_description},
  {"GET", "/docs", read, get_docs},
  {"GET", "/pages/{file}", read, get_page_part},

  {"GET", "/events", read, get_events},

  {"GET", "/healthz", read, get_health},
  {"GET", "/readyz", read, get_readiness},
  {"GET", "/metrics", read, get_agent_metrics},
  {"GET", "/metrics/guests", read, get_guests_metrics},

  {"GET", "/debug/log-level", debug, get_log_level},
  {"PUT", "/debug/log-level", debug, set_log_level},
  {"GET", "/debug/actors", debug, list_actors},
  {"GET", "/debug/actors/{actor}", debug, get_actor},
  {"GET", "/debug/pprof", debug, get_pprof_index},
  {"GET", "/debug/pprof/profile", debug, get_cpu_profile},
  {"GET", "/debug/pprof/heap", debug, get_heap_profile},
  {"GET", "/debug/pprof/growth", debug, get_growth_profile},
  {"GET", "/debug/pprof/threadcreate", debug, get_threads},
  {"GET", "/debug/pprof/symbol", debug, get_symbols},
  {"POST", "/debug/pprof/symbol", debug, look_up_symbols},
  {"GET", "/debug/pprof/cmdline", debug, get_command_line},
};

task<answer> refuse(answer refusal) {
  co_return refusal;
}

/// UUIDs are the same in either case, and stored in lower case; but guests that were taken over keep their ids as they
/// were.
void fold_guest_id(const context& state, const route& row, std::vector<std::string>& captures) {
  if (row.pattern.starts_with("/guests/{guest}") && !state.guests.find(captures.front()) &&
      actors::is_uuid(captures.front()))
    std::transform(captures.front().begin(), captures.front().end(), captures.front().begin(), rpc::text::lower);
}

/// No id and no name of the agent has control characters, and sub-agents make paths of them.
void expect_no_controls(const std::vector<std::string>& captures) {
  for (const auto& one : captures)
    if (rpc::has_control(one))
      throw rpc::failure{rpc::errc::invalid_request, "the path: control characters are not allowed"};
}

/// Rows of which a browser gets a page: other sites may link to it.
bool has_page(const route& row) {
  return row.handle == list_actors || row.handle == get_actor;
}

/// Null, or the refusal of a request that changes or debugs something for a web page of another site.
std::optional<answer> refuse_by_site(const route& row, const request& from) {
  if (row.allows == read || !is_cross_site(from) || (has_page(row) && opens_page(from)))
    return std::nullopt;
  return error_answer(403, "cross-site request");
}

/// Nothing, or the answer for who may not use the route.
std::optional<answer> refuse_by_access(const actors::config& settings, access wanted, const request& from) {
  switch (wanted) {
  case debug: return refuse_client(settings.debug, from.peer, "debug.access");
  case report: return refuse_client(settings.reports, from.peer, "reports.access");
  case read:
  case write: break;
  }
  return std::nullopt;
}

task<answer> route_to(context& state, router::match found, request incoming) {
  if (found.allowed.empty())
    return refuse(error_answer(404, "not found"));
  // A HEAD must not set anything going, and a GET of an action does.
  if (!found.row || (found.row->allows == write && incoming.head_only))
    return refuse(method_not_allowed(std::string{found.allowed}));
  if (auto no = refuse_by_site(*found.row, incoming))
    return refuse(*std::move(no));
  if (auto no = refuse_by_access(state.settings, found.row->allows, incoming))
    return refuse(*std::move(no));
  expect_no_controls(found.captures);
  fold_guest_id(state, *found.row, found.captures);
  incoming.captures = std::move(found.captures);
  return found.row->handle(state, std::move(incoming));
}

/// Throws for what comes too often of one client, or is nested too deeply.
void check_bounds(const context& state, request_rates& rates, const request& from) {
  if (!rates.off() && !rates.admit(from.peer, request_rates::clock::now()))
    throw rpc::failure{rpc::errc::queue_full,
                       "more than " + std::to_string(rates.per_second()) + " requests a second of one client"};
  const auto most = state.settings.limit.nesting;
  if (const auto at = too_deep_at(from.body, most))
    throw rpc::failure{rpc::errc::invalid_request, "nested too deeply at byte " + std::to_string(*at) + ": more than " +
                                                     std::to_string(most) + " levels"};
}

/// A handler may fail before it begins to be a coroutine.
task<answer> answer_to(context& state, request_rates& rates, router::match found, request incoming) {
  try {
    check_bounds(state, rates, incoming);
    return route_to(state, std::move(found), std::move(incoming));
  } catch (...) {
    return refuse(error_answer(std::current_exception()));
  }
}

} // namespace

const std::vector<route>& routes() {
  return table;
}

handler dispatch(context& state) {
  return [&state, rates = std::make_shared<request_rates>(state.settings.limit.requests_per_second),
          find = std::make_shared<const router>(table),
          seen = std::make_shared<table_metrics>(state.measured, table)](request incoming) -> task<answer> {
    auto found = find->find(incoming.method, incoming.segments);
    auto& in = seen->of(found.row);
    request_note note{incoming, found.row, found.captures};
    return observed(in, std::move(note), answer_to(state, *rates, std::move(found), std::move(incoming)));
  };
}

} // namespace mistify::http
