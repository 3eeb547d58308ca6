#pragma once

#include "rpc/kit/server.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace mistify::agents {

/// A URL, cut in two.
struct webhook_url {
  std::string origin; ///< "https://example.com:8443"
  std::string target; ///< path and query, at least "/"
};

/// Throws std::invalid_argument for anything but http:// and https:// with a host.
webhook_url parse_webhook_url(const std::string& url);

/// The JSON that is posted: "reboot called on ID", in the form that chat services take. The stage's args `text`, `emoji`
/// and `name` override its three members, unless they are empty; `emoji` is taken with its colons or without.
std::string webhook_text(const rpc::guest_request& request);

/// A stage that tells a web service about an action and leaves the guest as it is. Method: `Webhook.Post`, which fails
/// when the service does not take the message: refuses it with a status from 400 on, or is not done in `timeout`.
class webhook_agent {
public:
  webhook_agent(const rpc::listen_at& where, const std::string& url,
                std::chrono::milliseconds timeout = std::chrono::seconds{5});

  rpc::server& server() noexcept { return server_; }

private:
  rpc::server server_;
};

} // namespace mistify::agents
