#pragma once

#include "rpc/kit/server.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace mistify::agents {

/// A URL, split into origin and target.
struct webhook_url {
  std::string origin; ///< "https://example.com:8443"
  std::string target; ///< path and query, at least "/"
};

/// Throws std::invalid_argument for anything but http:// and https:// with a host.
webhook_url parse_webhook_url(const std::string& url);

/// Returns the JSON to post: "reboot called on ID", in the form that chat services accept. The stage's args `text`,
/// `emoji` and `name` override its three members, unless they are empty; `emoji` may omit its colons.
std::string webhook_text(const rpc::guest_request& request);

/// A stage that posts a message about an action to a web service and does not change the guest. Method:
/// `Webhook.Post`. It fails if the service answers a status of 400 or above, or does not finish within `timeout`.
class webhook_agent {
public:
  webhook_agent(const rpc::listen_at& where, const std::string& url,
                std::chrono::milliseconds timeout = std::chrono::seconds{5});

  rpc::server& server() noexcept { return server_; }

private:
  rpc::server server_;
};

} // namespace mistify::agents
