#include "http/api/request_log.hpp"

#include "http/access/principal.hpp"
#include "http/api/audit_trail.hpp"
#include "rpc/base/log.hpp"

#include <string_view>

namespace mistify::http {

namespace {

/// Longer paths from clients are cut.
constexpr std::size_t longest_path = 300;
/// User agents longer than this are not logged.
constexpr std::size_t longest_name = 100;

bool is_change(const route& row) {
  using enum actors::scope;
  return changes(row) && !row.asks.is(report) && !row.asks.is(debug);
}

/// What shows disks, or the agent's insides.
bool is_look(const route& row) {
  using enum actors::scope;
  return row.asks.is(debug) || row.asks.is(data) || row.asks.is(admin);
}

/// "uid=0 gid=0 pid=17", or "" for a client that is no process of this machine.
std::string process_of(const request& from) {
  if (!from.client || !from.client->process)
    return {};
  const auto& p = *from.client->process;
  return "uid=" + std::to_string(p.uid) + " gid=" + std::to_string(p.gid) + " pid=" + std::to_string(p.pid);
}

/// Returns the segment that the pattern names so; "" if it has none.
std::string captured(const path_captures& captures, std::string_view name) {
  const auto* value = captures.find(name);
  return value ? value->substr(0, longest_path) : std::string{};
}

const char* outcome_of(const answer_subject& about, int status) {
  if (status >= 400)
    return "refused";
  return about.repeated ? "repeated" : "accepted";
}

} // namespace

request_log_entry::request_log_entry(audit_trail* to, const request& from, const route* row,
                                     const path_captures& captures, verdict how)
  : to_{to}, id_{from.id} {
  if (how.refused)
    kind_ = kind::refusal;
  else if (row && is_change(*row))
    kind_ = kind::change;
  else if (row && is_look(*row))
    kind_ = kind::look;
  else if (row && row->asks.is(actors::scope::report))
    kind_ = kind::report;
  if (kind_ == kind::read && !rpc::log::debugging())
    return;
  entry_ = std::make_shared<store::audit_entry>();
  auto& what = *entry_;
  what.request_id = id_;
  what.method = from.head_only ? "HEAD" : from.method;
  what.path = from.path.substr(0, longest_path);
  what.peer = from.peer;
  what.process = process_of(from);
  if (const auto name = from.header("user-agent"); name.size() <= longest_name)
    user_agent_ = name;
  if (from.who) {
    what.who = from.who->name;
    what.how = to_string(from.who->how);
    what.key = from.who->key;
  }
  if (how.scope)
    what.scope = to_string(*how.scope);
  what.guest = captured(captures, "guest");
  what.job = captured(captures, "job");
}

void request_log_entry::answered(const std::optional<answer_subject>& about, int status) const {
  if (status == 500)
    rpc::log::error(
      "a request failed by a fault of the agent",
      {{"request_id", id_}, {"method", entry_ ? entry_->method : ""}, {"path", entry_ ? entry_->path : ""}});
  if (rpc::log::debugging() && entry_)
    rpc::log::debug("request", {{"request_id", id_},
                                {"peer", entry_->peer},
                                {"method", entry_->method},
                                {"path", entry_->path},
                                {"status", std::to_string(status)}});
  const bool is_report = kind_ == kind::report && status != 403 && (!about || about->action.empty());
  if (kind_ != kind::read && !is_report)
    audit(about.value_or(answer_subject{}), status);
}

void request_log_entry::audit(const answer_subject& about, int status) const {
  auto what = *entry_;
  what.status = status;
  what.decision = outcome_of(about, status);
  if (!about.guest.empty())
    what.guest = about.guest;
  if (!about.job.empty())
    what.job = about.job;
  what.action = about.action;
  const bool refused = kind_ == kind::refusal || (kind_ == kind::report && status >= 400);
  rpc::log::audit(refused ? "refusal" : "change", {{"request_id", id_},
                                                   {"peer", what.peer},
                                                   {"user", what.who},
                                                   {"how", what.how},
                                                   {"process", what.process},
                                                   {"scope", what.scope},
                                                   {"user_agent", user_agent_},
                                                   {"method", what.method},
                                                   {"path", what.path},
                                                   {"guest", what.guest},
                                                   {"action", what.action},
                                                   {"job", what.job},
                                                   {"status", std::to_string(status)},
                                                   {"outcome", what.decision}});
  if (to_ && !about.audited)
    to_->note(std::move(what));
}

} // namespace mistify::http
