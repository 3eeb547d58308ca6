#include "http/api/door.hpp"

#include "http/protocol/content_negotiation.hpp"
#include "rpc/http1/grammar.hpp"

#include <string>

namespace mistify::http {

using rpc::http1::refusal;
using rpc::http1::request_head;

namespace {

/// True if the request has a field that only browsers send.
bool has_fetch_metadata(const header_fields& sent) {
  for (std::size_t i = 0; i < sent.size(); ++i)
    if (sent[i].name.starts_with("sec-fetch-"))
      return true;
  return false;
}

/// Lines of one name are joined with commas: a proxy may have put its own before the browser's.
bool names_browser(std::string_view user_agent) {
  return user_agent.starts_with("Mozilla/") || user_agent.find(", Mozilla/") != user_agent.npos;
}

} // namespace

std::optional<refusal> refuse_address(const rpc::door& names, const request_head& head, std::string_view peer,
                                      std::string& known) {
  constexpr std::size_t longest_known = 255;
  rpc::addressed_to to{.target = head.target, .http_1_0 = head.http_1_0, .any_name = peer == "local"};
  for (const auto& field : head.fields)
    if (rpc::text::equal_ignoring_case(field.name, "host")) {
      to.host = field.value;
      ++to.hosts;
    }
  const bool only_host = to.hosts == 1 && head.target.starts_with('/'); // else it is not Host that counts
  if (only_host && !known.empty() && to.host == known)
    return std::nullopt;
  if (const auto no = names.refuse(to))
    return refusal{no->status, std::string{no->message}};
  if (only_host && to.host.size() <= longest_known)
    known = to.host;
  return std::nullopt;
}

bool is_cross_site(const request& from) {
  const auto host = from.authority.empty() ? from.header("host") : std::string_view{from.authority};
  return rpc::is_cross_site({from.headers.find("sec-fetch-site"), from.headers.find("origin")}, host);
}

bool opens_page(const request& from) {
  if (from.method != "GET" || from.head_only || from.headers.contains("origin") || !prefers_page(from.header("accept")))
    return false;
  const auto mode = from.headers.find("sec-fetch-mode"), shown_as = from.headers.find("sec-fetch-dest");
  if (!mode) // over plain HTTP beyond loopback browsers send none of these
    return !shown_as && !from.headers.contains("sec-fetch-site");
  return *mode == "navigate" && (!shown_as || *shown_as == "document");
}

bool comes_from_browser(const request& from) {
  return has_fetch_metadata(from.headers) || from.headers.contains("origin") ||
         names_browser(from.header("user-agent"));
}

} // namespace mistify::http
