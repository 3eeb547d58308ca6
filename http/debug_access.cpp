#include "http/debug_access.hpp"

#include "http/error_map.hpp"

namespace mistify::http {

namespace {

/// Clients of a unix socket are "local".
bool is_local(std::string_view peer) {
  return peer == "local" || peer.starts_with("127.") || peer == "::1" || peer.starts_with("::ffff:127.");
}

} // namespace

std::optional<answer> refuse_debug(actors::debug_access allowed, std::string_view peer) {
  switch (allowed) {
  case actors::debug_access::any: return std::nullopt;
  case actors::debug_access::loopback:
    if (is_local(peer))
      return std::nullopt;
    return error_answer(403, "only for clients on this machine");
  case actors::debug_access::off: break;
  }
  return error_answer(403, "switched off in the config (debug.access)");
}

} // namespace mistify::http
