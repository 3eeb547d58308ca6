#pragma once

#include "actors/config/access.hpp"
#include "actors/config/roles.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

/// How a client proved who it is.
enum class identity_source : std::uint8_t { unix_socket, cert, token, anonymous };

/// "unix", "cert", "token" or "anonymous".
std::string_view to_string(identity_source how) noexcept;

/// Who sends a request, and what they may do. Immutable.
struct principal {
  std::string name = {}; ///< for people: a user, a name of the certificate, a token's name; "" without identity
  identity_source how = identity_source::anonymous;
  std::string role = {}; ///< "" where the scopes are no role's
  actors::scope_set scopes = {};
  std::optional<actors::guest_selector> guests = {}; ///< null: every guest
  std::string key = {};                   ///< identifies the client for rates and idempotency keys; "" without identity
  std::vector<std::string> services = {}; ///< of a sub-agent: those that it may report for

  bool may(actors::scope what) const noexcept { return scopes.has(what); }
  /// True if it may report for every service. A sub-agent without a service may for none.
  bool reports_for_all() const noexcept { return may(actors::scope::admin); }
  bool is_anonymous() const noexcept { return how == identity_source::anonymous; }
};
using principal_ptr = std::shared_ptr<const principal>;

/// The client of an agent without `access`: it may do everything and has no name.
const principal_ptr& unrestricted();

} // namespace mistify::http
