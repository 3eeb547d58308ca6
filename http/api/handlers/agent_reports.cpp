#include "http/access/visibility.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/log.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/power.hpp"

#include <algorithm>
#include <array>

/// Reports that sub-agents send on their own initiative.
namespace mistify::http::handlers {

namespace {

/// The states of a virtual machine or a container; see the contract, section 7.
constexpr std::array<std::string_view, 10> states{"unknown", "running",   "blocked", "paused",  "shutdown",
                                                  "crashed", "suspended", "shutoff", "stopped", "deleted"};

using rpc::json::node;

constexpr std::size_t longest_message = 256;
constexpr std::size_t longest_unit = 32;

/// Returns a text of a report; empty if it is absent. It may have several lines.
std::string text_in(const node& report, std::string_view name, std::size_t longest) {
  const auto* member = report.find(name);
  auto text = member ? member->as_string(name) : std::string{};
  if (text.size() > longest)
    throw rpc::failure{rpc::errc::invalid_request,
                       std::string{name} + ": must be a text of at most " + std::to_string(longest) + " bytes"};
  return text;
}

/// The same for a text that is a word or two.
std::string plain_text_in(const node& report, std::string_view name, std::size_t longest) {
  auto text = text_in(report, name, longest);
  if (rpc::has_control(text))
    throw rpc::failure{rpc::errc::invalid_request, std::string{name} + ": control characters are not allowed"};
  return text;
}

struct state_report {
  std::string state, reason;
};

state_report decode_state(const std::string& body) {
  const auto document = rpc::json::document::parse(body);
  state_report told{text_in(document.root(), "state", longest_message),
                    plain_text_in(document.root(), "state_reason", rpc::longest_state_reason)};
  if (std::find(states.begin(), states.end(), told.state) == states.end())
    throw rpc::failure{rpc::errc::invalid_request, "state: is none that a guest can be in by itself"};
  return told;
}

std::optional<std::uint64_t> number_in(const node& report, std::string_view name) {
  const auto* member = report.find(name);
  return member && !member->is_null() ? std::optional{member->as_uint(name)} : std::nullopt;
}

store::stage_report decode_progress(const std::string& body) {
  const auto document = rpc::json::document::parse(body);
  const auto& root = document.root();
  store::stage_report told{text_in(root, "message", longest_message)};
  rpc::job_progress progress{number_in(root, "done"), number_in(root, "total"),
                             plain_text_in(root, "unit", longest_unit)};
  if (progress.done || progress.total || !progress.unit.empty())
    told.progress = std::move(progress);
  if (told.message.empty() && !told.progress)
    throw rpc::failure{rpc::errc::invalid_request, "message: is missing, and so are done, total and unit"};
  return told;
}

/// True if one of the services that `who` speaks for has a part in the action.
bool serves(const principal& who, const actors::action& action) {
  return std::ranges::any_of(action.stages, [&](const actors::stage& stage) {
    return std::ranges::find(who.services, stage.service) != who.services.end();
  });
}

/// True for what changes guests of that type: who only looks at them, or at the host, does not own them.
bool changes_guests(const actors::action& action, bool containers) {
  const auto& kind = *action.kind;
  return kind.subject == actors::action_subject::guest && kind.type == actors::action_type::async &&
         kind.name.starts_with("container") == containers;
}

/// A sub-agent speaks of guests whose actions it serves only.
void expect_own_guest(const context& cx, const principal& who, const store::stored_guest& guest) {
  if (who.reports_for_all())
    return;
  const bool is_container = guest.type == "container";
  const auto settings = cx.settings.get();
  for (const auto& [name, action] : settings->actions)
    if (changes_guests(*action, is_container) && serves(who, *action))
      return;
  throw rpc::failure{rpc::errc::forbidden, "not allowed: the guest belongs to another service"};
}

/// And of jobs whose action it serves.
void expect_own_job(const context& cx, const principal& who, const std::string& id) {
  const auto job = cx.jobs.find(id);
  if (job && !sees_guest(who, cx.guests, job->guest_id))
    throw rpc::failure{rpc::errc::not_found, "not found"};
  if (who.reports_for_all())
    return;
  const auto action = job ? cx.settings.find_action(job->action) : nullptr;
  if (!action || !serves(who, *action))
    throw rpc::failure{rpc::errc::forbidden, "not allowed: the job belongs to another service"};
}

} // namespace

task<answer> report_state(context& cx, request& from) {
  const auto told = decode_state(from.body);
  const auto guest = require_guest(cx, from.captures["guest"]);
  expect_own_guest(cx, *from.who, *guest);
  auto action = "report " + told.state;
  auto audit = audit_of(from, 200, action);
  const auto taken = co_await cx.agents.report(guest->id, told.state, told.reason, if_match_of(from), std::move(audit));
  if (!taken.before.empty())
    rpc::log::audit("guest changed by itself", {{"request_id", from.id},
                                                {"guest", guest->id},
                                                {"from", taken.before},
                                                {"to", told.state},
                                                {"reason", told.reason}});
  auto out = json_answer(200, public_guest(taken.guest_doc));
  if (!taken.before.empty()) {
    out.subject().guest = guest->id;
    out.subject().action = std::move(action);
    co_return changed(std::move(out));
  }
  co_return out;
}

task<answer> report_progress(context& cx, request& from) {
  auto told = decode_progress(from.body);
  expect_own_job(cx, *from.who, from.captures["job"]);
  const auto job = co_await cx.agents.report_progress(from.captures["job"], std::move(told));
  co_return json_answer(200, rpc::encode(job));
}

} // namespace mistify::http::handlers
