#include "rpc/etcd/requester.hpp"

#include "rpc/etcd/reason.hpp"

#include <optional>
#include <stdexcept>
#include <utility>

namespace mistify::rpc::etcd {

namespace {

std::vector<std::string> without_slash(std::vector<std::string> endpoints) {
  if (endpoints.empty())
    throw std::invalid_argument{"no endpoint of etcd"};
  for (auto& endpoint : endpoints)
    while (endpoint.ends_with('/'))
      endpoint.pop_back();
  return endpoints;
}

} // namespace

requester::requester(const client_settings& settings)
  : endpoints_{without_slash(settings.endpoints)}, session_{settings.session} {}

http_request requester::request_of(const parts& what) const {
  return {std::string{what.method}, endpoint() + std::string{what.path}, what.body, what.headers};
}

http_reply requester::send(const parts& what, const std::function<bool(const http_reply&)>& helps) {
  std::optional<failure> last;
  for (std::size_t tried = 0; tried < endpoints_.size(); ++tried) {
    try {
      auto reply = session_.send(request_of(what));
      if (helps(reply))
        return reply;
      last.emplace(errc::unavailable, endpoint() + ": " + std::to_string(reply.status) + ' ' + cut_reason(reply.body));
    } catch (const failure& e) {
      if (e.code() == errc::cancelled)
        throw;
      last.emplace(e.code(), endpoint() + ": " + cut_reason(e.message()));
    }
    move_on();
  }
  throw failure{*last};
}

} // namespace mistify::rpc::etcd
