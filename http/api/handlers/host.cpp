#include "http/access/principal.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/host_json.hpp"
#include "rpc/base/distinct_members.hpp"
#include "rpc/base/json.hpp"

namespace mistify::http::handlers {

namespace {

using rpc::errc;
using rpc::failure;

/// The maximum length of the reason in bytes: every refused request repeats it.
constexpr std::size_t longest_reason = 1024;

store::maintenance decode_maintenance(std::string_view body) {
  const auto document = rpc::json::document::parse(body);
  store::maintenance wanted;
  bool said = false;
  rpc::json::expect_distinct_members(document.root());
  for (const auto& [key, value] : document.root().members("body")) {
    if (key == "on")
      said = !value.is_null(), wanted.on = value.as_bool("on");
    else if (key == "reason")
      wanted.reason = value.as_string("reason");
    else
      throw failure{errc::invalid_request, std::string{key} + ": no such member"};
  }
  if (!said)
    throw failure{errc::invalid_request, "on: must be true or false"};
  if (wanted.reason.size() > longest_reason)
    throw failure{errc::invalid_request, "reason: longer than " + std::to_string(longest_reason) + " bytes"};
  expect_no_controls_in({{"reason", wanted.reason}});
  return wanted;
}

} // namespace

/// Its sums are over all guests.
task<answer> get_host(context& cx, request& from) {
  if (from.who->guests)
    throw failure{errc::forbidden, "not allowed: this identity is limited to some guests"};
  co_await cx.agents.refresh_host();
  co_return json_answer(200, host_json(cx.host.view()));
}

task<answer> set_maintenance(context& cx, request& from) {
  auto wanted = decode_maintenance(from.body);
  auto audit = audit_of(from, 200);
  const auto now = co_await cx.agents.set_maintenance(std::move(wanted), std::move(audit));
  rpc::json::writer out;
  out.begin_object();
  write_maintenance(out, now);
  out.end_object();
  co_return changed(json_answer(200, std::move(out).str()));
}

} // namespace mistify::http::handlers
