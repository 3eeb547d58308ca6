#include "http/cli/mistify/errors.hpp"

#include "http/cli/mistify/screen.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace mistify::cli {

using client::fault;

status status_of(const client::failure& e) {
  constexpr std::array refused{400, 401, 403, 405, 409, 412, 413, 421, 429, 431, 503, 507};
  constexpr int not_found = 404, gateway_timeout = 504;
  switch (e.code()) {
  case fault::usage: return status::usage;
  case fault::local: return status::failed;
  case fault::refused: break;
  default: return status::no_answer;
  }
  if (e.status() == not_found)
    return e.message().find("Not configured") == std::string::npos ? status::absent : status::refused;
  if (std::ranges::find(refused, e.status()) != refused.end())
    return status::refused;
  return e.status() == gateway_timeout ? status::no_answer : status::failed;
}

namespace {

std::string advice_for_status(int of, std::string_view message) {
  switch (of) {
  case 401: return "a token is needed: --token-file FILE, or MISTIFY_TOKEN in the environment";
  case 403: return "`mistify token` of an admin makes identities with more rights";
  case 404:
    return message.find("Not configured") != message.npos
             ? "the agent's config has no such action: mistify-agent.json(5)"
             : "";
  case 405: return "this agent does not know the command: it is older, or its config switched it off";
  case 412: return "the guest has changed meanwhile: look at it and try again";
  case 421: return "the agent does not know itself by this name: http.names in its config";
  case 429:
  case 503: return "try again later";
  case 507: return "free some space first";
  default: return {};
  }
}

} // namespace

std::string advice_for(const client::failure& e) {
  switch (e.code()) {
  case fault::unreachable: return "is mistify-agent running there? -H URL or MISTIFY_HOST says where it is";
  case fault::timeout: return "--timeout SECONDS waits longer";
  case fault::tls: return "--cacert FILE names the authority that signed the agent's certificate";
  case fault::not_agent: return "-H URL or MISTIFY_HOST says where the agent is";
  case fault::refused: return advice_for_status(e.status(), e.message());
  default: return {};
  }
}

void error_list::add(status with, std::string why, std::string next) {
  all_.push_back({with, std::move(why), std::move(next)});
}

void error_list::add(const std::string& what, const client::failure& e) {
  add(status_of(e), what + ": " + e.message(), advice_for(e));
}

int error_list::finish() const {
  constexpr std::size_t most = 3;
  if (all_.empty())
    return code(status::done);
  const auto shown = all_.size() > most ? most - 1 : all_.size();
  for (std::size_t i = 0; i < shown; ++i)
    print_error("mistify: " + all_[i].why);
  if (all_.size() > most)
    print_error("mistify: and " + std::to_string(all_.size() - shown) + " more failed");
  else if (shown < most && !all_.front().next.empty())
    print_error("mistify: " + all_.front().next);
  return code(all_.front().with);
}

} // namespace mistify::cli
