#include "http/api/request_log.hpp"

#include "http/access/principal.hpp"
#include "rpc/base/log.hpp"

#include <algorithm>
#include <string_view>

namespace mistify::http {

namespace {

/// Longer paths from clients are cut.
constexpr std::size_t longest_path = 300;
/// User agents longer than this are not logged.
constexpr std::size_t longest_name = 100;

/// Reports of sub-agents would bury the rest.
bool is_audited(const route& row) {
  using enum actors::scope;
  return (changes(row) && !row.asks.is(report)) || row.asks.is(debug) || row.asks.is(data) || row.asks.is(admin);
}

/// "uid=0 gid=0 pid=17", or "" for a client that is no process of this machine.
std::string process_of(const request& from) {
  if (!from.client || !from.client->process)
    return {};
  const auto& p = *from.client->process;
  return "uid=" + std::to_string(p.uid) + " gid=" + std::to_string(p.gid) + " pid=" + std::to_string(p.pid);
}

/// Returns the segment that the pattern captures as `name`; "" if it does not.
std::string captured(const route& row, const std::vector<std::string>& captures, std::string_view name) {
  const auto at = row.pattern.find(name);
  if (at == std::string_view::npos)
    return {};
  const auto before = std::count(row.pattern.begin(), row.pattern.begin() + static_cast<std::ptrdiff_t>(at), '{');
  const auto index = static_cast<std::size_t>(before);
  return index < captures.size() ? captures[index].substr(0, longest_path) : std::string{};
}

const char* outcome_of(const answer_subject& about, int status) {
  if (status >= 400)
    return "refused";
  return about.repeated ? "repeated" : "accepted";
}

} // namespace

request_log_entry::request_log_entry(const request& from, const route* row, const std::vector<std::string>& captures,
                                     bool refused)
  : id_{from.id} {
  if (refused)
    kind_ = kind::refusal;
  else if (row && is_audited(*row))
    kind_ = kind::change;
  if (kind_ == kind::read && !rpc::log::debugging())
    return;
  method_ = from.head_only ? "HEAD" : from.method;
  path_ = from.path.substr(0, longest_path);
  peer_ = from.peer;
  if (const auto name = from.header("user-agent"); name.size() <= longest_name)
    user_agent_ = name;
  if (from.who) {
    user_ = from.who->name;
    how_ = from.who->is_anonymous() ? "" : to_string(from.who->how);
  }
  process_ = process_of(from);
  if (!row)
    return;
  if (row->asks.what() == requirement::kind::scope)
    scope_ = to_string(row->asks.needs());
  guest_ = captured(*row, captures, "{guest}");
  job_ = captured(*row, captures, "{job}");
}

void request_log_entry::answered(const answer_subject& about, int status) const {
  if (status == 500)
    rpc::log::error("a request failed by a fault of the agent",
                    {{"request_id", id_}, {"method", method_}, {"path", path_}});
  if (rpc::log::debugging() && !method_.empty())
    rpc::log::debug(
      "request",
      {{"request_id", id_}, {"peer", peer_}, {"method", method_}, {"path", path_}, {"status", std::to_string(status)}});
  if (kind_ != kind::read)
    audit(about, status);
}

void request_log_entry::audit(const answer_subject& about, int status) const {
  rpc::log::audit(kind_ == kind::change ? "change" : "refusal", {{"request_id", id_},
                                                                 {"peer", peer_},
                                                                 {"user", user_},
                                                                 {"how", how_},
                                                                 {"process", process_},
                                                                 {"scope", scope_},
                                                                 {"user_agent", user_agent_},
                                                                 {"method", method_},
                                                                 {"path", path_},
                                                                 {"guest", about.guest.empty() ? guest_ : about.guest},
                                                                 {"action", about.action},
                                                                 {"job", about.job.empty() ? job_ : about.job},
                                                                 {"status", std::to_string(status)},
                                                                 {"outcome", outcome_of(about, status)}});
}

} // namespace mistify::http
