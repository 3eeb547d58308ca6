#pragma once

#include "rpc/model/model.hpp"

#include <cstdint>
#include <string>

namespace mistify::agents {

/// TCP ports, both ends included.
struct port_range {
  std::int64_t first = 5900, last = 5999;
  bool holds(std::int64_t port) const noexcept { return port >= first && port <= last; }
  std::string text() const { return std::to_string(first) + '-' + std::to_string(last); }
};

/// Parses "5900-5999". VNC has no ports below 5900. Throws std::invalid_argument.
port_range parse_vnc_ports(const std::string& text);

/// The key of a guest's metadata that holds the password of its VNC.
constexpr const char* vnc_password_key = "vnc.password";

/// The guest's VNC password; empty if it has none. Throws std::invalid_argument unless it is 1 to 8 printable ASCII
/// characters: the protocol looks at no more of it.
std::string vnc_password(const rpc::guest& g);

/// A guest's `vnc` that stands for any port of the range.
constexpr std::int64_t any_vnc_port = -1;

/// Throws std::invalid_argument if the guest asks for VNC (`vnc` is not 0) without a password, or at a port that is not in
/// the range.
void expect_vnc(const rpc::guest& g, const port_range& ports);

} // namespace mistify::agents
