#include "http/api/client_access.hpp"

#include "http/api/error_map.hpp"

namespace mistify::http {

namespace {

/// Clients of a unix socket are "local".
bool is_local(std::string_view peer) {
  return peer == "local" || peer.starts_with("127.") || peer == "::1" || peer.starts_with("::ffff:127.");
}

} // namespace

std::optional<answer> refuse_client(actors::clients allowed, std::string_view peer, std::string_view key) {
  switch (allowed) {
  case actors::clients::any: return std::nullopt;
  case actors::clients::loopback:
    if (is_local(peer))
      return std::nullopt;
    return error_answer(403, "only for clients on this machine");
  case actors::clients::off: break;
  }
  return error_answer(403, "switched off in the config (" + std::string{key} + ')');
}

} // namespace mistify::http
