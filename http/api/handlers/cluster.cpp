#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/parameters.hpp"
#include "rpc/base/distinct_members.hpp"
#include "rpc/base/json.hpp"

// The membership in a cluster.
namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

/// `force`, in the body or the query.
bool wants_force(const request& from) {
  for (const auto& one : from.query)
    if (one.name != "force")
      throw failure{errc::invalid_request, one.name + ": is not known"};
  bool force = flag_of(from, "force");
  if (from.body.empty())
    return force;
  const auto document = rpc::json::document::parse(from.body);
  rpc::json::expect_distinct_members(document.root());
  for (const auto& [key, value] : document.root().members("body")) {
    if (key != "force")
      throw failure{errc::invalid_request, std::string{key} + ": is not known"};
    force = force || value.as_bool("force");
  }
  return force;
}

} // namespace

task<answer> leave_host(context& cx, request& from) {
  const bool force = wants_force(from);
  co_await cx.agents.leave_cluster(force);
  co_return json_answer(200, R"({"state":"left"})");
}

} // namespace mistify::http::handlers
