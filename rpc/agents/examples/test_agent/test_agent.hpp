#pragma once

#include "rpc/agents/examples/test_agent/guests.hpp"
#include "rpc/agents/examples/test_agent/images.hpp"
#include "rpc/agents/examples/test_agent/snapshots.hpp"
#include "rpc/kit/server.hpp"
#include "rpc/model/host_info.hpp"

#include <chrono>
#include <cstdint>

namespace mistify::agents {

/// An in-memory sub-agent for every action, to try the agent with. Methods: `Test.` and the action's name with a
/// capital ("Test.Reboot", "Test.ContainerListImages"), and the names of the original's example if they differ
/// ("Test.Run", "Test.StopContainer"). Downloads at /snapshots/download, logs
/// at /guests/log.
class test_agent {
public:
  /// Each call is answered after `delay`.
  explicit test_agent(const rpc::listen_at& where, std::chrono::milliseconds delay = {});

  rpc::server& server() noexcept { return server_; }

private:
  void serve_action(const std::string& method, const std::string& action);
  void serve_guests();
  void serve_metrics();
  void serve_images(const std::string& prefix, images& of);
  void serve_snapshots();
  void serve_host();
  rpc::http_answer download(std::string_view body);

  template <class In, class Out, class F>
  void handle(const std::string& action, F f);

  std::chrono::milliseconds delay_;
  guests guests_;
  images images_{"kvm", "not found"};
  images container_images_{"container", "no such image"};
  snapshots snapshots_;
  rpc::server server_; // last: its handlers use the members above
};

} // namespace mistify::agents
