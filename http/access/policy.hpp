#pragma once

#include "actors/config/config.hpp"
#include "http/access/client_trust.hpp"
#include "http/access/principal.hpp"
#include "http/protocol/peer.hpp"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace mistify::http {

/// What the config says about who may do what. Immutable; any thread may ask. A reload makes a new one.
class policy {
public:
  /// Without `access` every client may do everything. `trust` judges certificates again at each request, so that a
  /// revocation counts on open connections too; null: what held at the handshake holds.
  explicit policy(const actors::config& settings, std::shared_ptr<const client_trust> trust = nullptr);

  bool is_open() const noexcept { return !access_; }

  /// The identity of a connection, without a token: the rules of its user and groups, or of its certificate, else the
  /// anonymous role. Never null. `now` judges the dates of certificates.
  principal_ptr identify(const peer_identity& peer, std::chrono::system_clock::time_point now) const;

private:
  principal_ptr of_process(const unix_peer& process) const;
  principal_ptr of_certificate(const cert_peer& certificate, std::chrono::system_clock::time_point now) const;
  const actors::cert_rule* rule_of(const cert_peer& certificate, bool by_ca) const;

  std::optional<actors::access_options> access_;
  std::map<uid_t, std::vector<std::string>> services_; ///< by the user of the sub-agent
  principal_ptr anonymous_;
  std::shared_ptr<const client_trust> trust_;
};

} // namespace mistify::http
