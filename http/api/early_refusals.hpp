#pragma once

#include "http/server/server.hpp"
#include "http/server/share_table.hpp"

namespace mistify::http {

class audit_trail;
class gatekeeper;

/// Logs what the server refuses before a request has a handler: requests that are not addressed to this agent, which are
/// audited too, and client certificates that do not hold. So many lines a second, as no identity has been asked for.
/// Thread-safe.
class early_refusals {
public:
  static constexpr std::size_t requests_per_second = 20, certificates_per_second = 1;

  early_refusals(audit_trail& to, gatekeeper& gate) : to_{to}, gate_{gate} {}

  void note(const early_refusal& what);

private:
  void note_request(const early_refusal& what);
  void note_certificate(const early_refusal& what);

  audit_trail& to_;
  gatekeeper& gate_;
  request_rates requests_{requests_per_second}, certificates_{certificates_per_second};
};

} // namespace mistify::http
