#include "http/api/early_refusals.hpp"

#include "http/access/gatekeeper.hpp"
#include "http/api/audit_trail.hpp"
#include "http/protocol/peer.hpp"
#include "rpc/base/log.hpp"

#include <string>
#include <utility>

namespace mistify::http {

namespace {

/// Longer paths from clients are cut.
constexpr std::size_t longest_path = 300;

} // namespace

void early_refusals::note(const early_refusal& what) {
  if (what.status == 0)
    note_certificate(what);
  else
    note_request(what);
}

/// A token has not been looked at, so that a client without another identity has no `how`.
void early_refusals::note_request(const early_refusal& what) {
  store::audit_entry entry;
  if (const auto who = gate_.identify(what.peer, {}, gatekeeper::clock::now()); who && !who->is_anonymous()) {
    entry.who = who->name;
    entry.how = to_string(who->how);
    entry.key = who->key;
  }
  entry.decision = "refused";
  entry.status = what.status;
  entry.method = what.method.substr(0, longest_path);
  entry.path = what.path.substr(0, longest_path);
  entry.peer = what.peer.address;
  if (requests_.admit("", request_rates::clock::now()))
    rpc::log::audit("refusal", {{"peer", entry.peer},
                                {"user", entry.who},
                                {"how", entry.how},
                                {"method", entry.method},
                                {"path", entry.path},
                                {"status", std::to_string(entry.status)},
                                {"reason", std::string{what.why}},
                                {"outcome", entry.decision}});
  to_.note(std::move(entry));
}

void early_refusals::note_certificate(const early_refusal& what) {
  if (certificates_.admit("", request_rates::clock::now()))
    rpc::log::audit(
      "refusal",
      {{"peer", what.peer.address}, {"how", "cert"}, {"reason", std::string{what.why}}, {"outcome", "refused"}});
}

} // namespace mistify::http
