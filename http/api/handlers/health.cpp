#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/service_probe.hpp"
#include "http/api/views/host_json.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/time.hpp"

#include <chrono>
#include <optional>

namespace mistify::http::handlers {

namespace {

using namespace std::chrono_literals;
using rpc::failure;

/// The maximum duration of a readiness check.
constexpr auto longest_check = 5s;

/// Returns the result of a check, or its failure.
template <class T>
task<rpc::outcome<T>> outcome_of(awaitable<T> check) {
  try {
    co_return co_await check;
  } catch (const failure& why) {
    co_return why;
  }
}

void write_check(rpc::json::writer& out, std::string_view name, const std::optional<failure>& why_not) {
  out.key(name).begin_object().key("ok").value(!why_not);
  if (why_not)
    out.key("error").value(why_not->message());
  out.end_object();
}

void write_services(rpc::json::writer& out, const std::vector<service_probe::service>& services) {
  out.key("services").begin_object();
  for (const auto& s : services) {
    out.key(s.name).begin_object();
    if (s.socket.empty())
      out.key("port").value(std::uint64_t{s.port});
    else
      out.key("socket").value(s.socket);
    out.key("reachable").value(s.reachable);
    if (!s.reachable)
      out.key("error").value(s.error);
    out.end_object();
  }
  out.end_object();
}

void write_cluster(rpc::json::writer& out, const actors::cluster::status::view& shown) {
  const auto since = std::chrono::time_point_cast<std::chrono::nanoseconds>(shown.since);
  out.key("cluster").begin_object().key("state").value(actors::cluster::to_string(shown.now));
  out.key("since").value(rpc::encode(since));
  if (!shown.error.empty())
    out.key("error").value(shown.error);
  out.end_object();
}

std::optional<failure> why_no_database(const rpc::outcome<bool>& probe) {
  if (const auto* why = std::get_if<failure>(&probe))
    return *why;
  return std::nullopt;
}

std::optional<failure> why_no_actors(const rpc::outcome<bool>& alive) {
  const auto* yes = std::get_if<bool>(&alive);
  if (yes && *yes)
    return std::nullopt;
  return failure{rpc::errc::unavailable, "the actors do not answer in time"};
}

/// Writes the first failure in the form of an error response.
void write_refusal(rpc::json::writer& out, const failure& why) {
  out.key("message").value(why.message()).key("code").value(503).key("stack").begin_array();
  for (const auto& frame : why.stack())
    out.value(frame);
  out.end_array();
}

} // namespace

/// Liveness: a response proves that the process runs and serves.
task<answer> get_health(context&, request&) {
  rpc::json::writer out;
  out.begin_object().key("status").value("alive").key("version").value(MISTIFY_VERSION).end_object();
  co_return json_answer(200, std::move(out).str());
}

/// Readiness. Unreachable sub-agents are reported but do not make the agent unready: work that does not need them
/// succeeds.
task<answer> get_readiness(context& cx, request&) {
  const auto services = co_await outcome_of(cx.sub_agents.look());
  const auto alive = co_await outcome_of(cx.agents.alive(longest_check));
  const auto probe = co_await outcome_of(cx.agents.writable(longest_check));
  const auto no_actors = why_no_actors(alive), no_database = why_no_database(probe);
  std::optional<failure> refusal = no_database ? no_database : no_actors;
  if (cx.draining)
    refusal = failure{rpc::errc::unavailable, "the agent is stopping"};

  rpc::json::writer out;
  out.begin_object().key("status").value(refusal ? "not ready" : "ready");
  if (refusal)
    write_refusal(out, *refusal);
  out.key("draining").value(cx.draining.load());
  if (const auto now = cx.host.maintenance(); now.on)
    write_maintenance(out, now);
  write_check(out, "database", no_database);
  write_check(out, "actors", no_actors);
  if (const auto* found = std::get_if<std::vector<service_probe::service>>(&services))
    write_services(out, *found);
  if (const auto shown = cx.cluster ? cx.cluster() : std::nullopt)
    write_cluster(out, *shown);
  out.end_object();
  auto on_done = json_answer(refusal ? 503 : 200, std::move(out).str());
  if (refusal)
    on_done.headers.emplace_back("Retry-After", "1");
  co_return on_done;
}

} // namespace mistify::http::handlers
