#pragma once

#include "rpc/agents/container/containers.hpp"
#include "rpc/agents/container/engine.hpp"
#include "rpc/agents/container/guest_log.hpp"
#include "rpc/agents/container/guest_marks.hpp"
#include "rpc/agents/container/image_store.hpp"
#include "rpc/agents/container/state_reporter.hpp"
#include "rpc/base/unique_fd.hpp"
#include "rpc/kit/server.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::agents::container {

/// Of the command line.
struct container_settings {
  std::string engine = "/run/podman/podman.sock"; ///< the engine's socket
  std::filesystem::path folder = {};              ///< for what is on its way, and what is known of guests
  rpc::agent_address agent = "";                  ///< receives the reports of changes; an empty URL: none are sent
  container_rules rules = {};
  fetching::fetch_settings fetching = {};
};

/// Runs containers on an engine that speaks Docker's Engine API. Methods: `MDocker.` with CreateContainer, RunContainer
/// (which starts it too), StartContainer, StopContainer, RestartContainer, RebootContainer, PauseContainer, UnpauseContainer, DeleteContainer,
/// ListContainers, GetContainer, SaveContainer; ListImages, GetImage, LoadImage, DeleteImage; CPUMetrics, DiskMetrics,
/// NicMetrics; GetInfo. Logs: POST to /guests/log. Reports to the agent what guests do by themselves. An engine that is not there, or
/// goes away, is an error (`unreachable`) of each call until it is back.
class container_agent {
public:
  /// Locks the folder of the settings; throws `failure{unavailable}` if another one has it.
  container_agent(const rpc::listen_at& where, const container_settings& settings);

  rpc::server& server() noexcept { return server_; }

private:
  void serve_containers();
  void serve_text(const std::string& method, std::function<std::string(std::string_view params)> f);
  void serve_images();
  void serve_metrics();

  rpc::unique_fd lock_; // first: held until nothing uses the folder any more
  engine engine_;
  guest_marks marks_;
  containers containers_;
  image_store images_;
  guest_log log_;
  std::optional<state_reporter> reporter_;
  rpc::server server_; // last: its handlers use what is above
};

} // namespace mistify::agents::container
