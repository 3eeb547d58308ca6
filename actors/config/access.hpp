#pragma once

#include "actors/config/roles.hpp"
#include "rpc/base/json.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// The parts of the config that say who may do what: `access` and `tls`. Readers throw `failure{invalid_request}` that
/// names the member; a member that is not known is refused too, because it may be meant to restrict something.
namespace mistify::actors {

/// Which guests an identity may see: those ids, or those with that label.
struct guest_selector {
  std::vector<std::string> ids;                                  ///< sorted
  std::optional<std::pair<std::string, std::string>> label = {}; ///< key and value

  bool operator==(const guest_selector&) const = default;
};

/// Reads `[ids]` or `{"label": "KEY=VALUE"}`.
guest_selector read_guest_selector(const rpc::json::node& value, const std::string& field);

/// The same as JSON text.
std::string encode(const guest_selector& selector);

/// A user or a group of this machine, as a client of a unix socket.
struct unix_rule {
  std::string name; ///< for people
  std::optional<uid_t> user;
  std::optional<gid_t> group;
  std::string role;
};

/// A client certificate: by name or by fingerprint.
struct cert_rule {
  std::string san; ///< a URI or DNS name of the certificate, or its CN where it has neither; empty if `sha256` is set
  std::string sha256; ///< of the DER form: 64 lower-case hex digits
  std::string role;
  std::optional<guest_selector> guests;
};

/// The `access` object. Where it is absent, every client may do everything.
struct access_options {
  std::vector<unix_rule> unix_peers;
  std::vector<cert_rule> certs;
  std::string anonymous = "none"; ///< role of a client without an identity
};

/// Resolves users and groups, and refuses unknown ones, and unknown roles.
access_options read_access_options(const rpc::json::node& value);

/// The `tls` object.
struct tls_options {
  std::string cert, key; ///< PEM files
  std::string client_ca; ///< PEM file; empty: only pinned certificates are identities
  std::string crl;       ///< PEM file; empty: none
  bool allow_1_2 = false;
};

tls_options read_tls_options(const rpc::json::node& value);

/// The uid of a user of this machine. Null if there is none.
std::optional<uid_t> find_user(const std::string& name);

/// The gid of a group of this machine. Null if there is none.
std::optional<gid_t> find_group(const std::string& name);

} // namespace mistify::actors
