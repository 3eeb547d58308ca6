#include "http/api/request_log.hpp"

#include "rpc/base/log.hpp"

#include <algorithm>
#include <string_view>

namespace mistify::http {

namespace {

/// Longer paths from clients are cut.
constexpr std::size_t longest_path = 300;
/// User agents longer than this are not logged.
constexpr std::size_t longest_name = 100;

bool is_change(const route& row) {
  return row.allows == access::write || (row.allows == access::debug && row.method == "PUT");
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

request_note::request_note(const request& from, const route* row, const std::vector<std::string>& captures)
  : id_{from.id} {
  if (row && is_change(*row))
    kind_ = kind::change;
  if (kind_ == kind::read && !rpc::log::debugging())
    return;
  method_ = from.head_only ? "HEAD" : from.method;
  path_ = from.path.substr(0, longest_path);
  peer_ = from.peer;
  if (const auto name = from.header("user-agent"); name.size() <= longest_name)
    user_agent_ = name;
  if (!row)
    return;
  guest_ = captured(*row, captures, "{guest}");
  job_ = captured(*row, captures, "{job}");
}

void request_note::answered(const answer_subject& about, int status) const {
  if (status == 500)
    rpc::log::error("a request failed by a fault of the agent",
                    {{"request_id", id_}, {"method", method_}, {"path", path_}});
  if (rpc::log::debugging() && !method_.empty())
    rpc::log::debug(
      "request",
      {{"request_id", id_}, {"peer", peer_}, {"method", method_}, {"path", path_}, {"status", std::to_string(status)}});
  if (kind_ == kind::change)
    audit(about, status);
}

void request_note::audit(const answer_subject& about, int status) const {
  rpc::log::audit("change", {{"request_id", id_},
                             {"peer", peer_},
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
