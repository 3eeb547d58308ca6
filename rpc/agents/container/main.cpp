#include "rpc/agents/container/container_agent.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/base/log.hpp"
#include "rpc/fetch/fetch_options.hpp"
#include "rpc/kit/run_agent.hpp"

#include <optional>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  namespace container = mistify::agents::container;
  mistify::rpc::listen_options listening{.port = 30001};
  container::container_settings settings{.agent = "http://127.0.0.1:8080"};
  std::string directory = "/var/lib/mistify-container";
  std::vector<std::string> media;
  mistify::rpc::command_line options{"mistify-container",
                                     "A sub-agent that runs containers on an engine with Docker's API."};
  listening.add_to(options);
  options.option("--engine", settings.engine, "unix socket of the engine: podman's, or /run/docker.sock");
  options.option("-d,--directory", directory, "folder for images on their way, and for what is known of guests");
  options.option("-a,--agent", settings.agent.url,
                 "URL of the agent, which is told what guests do and how far fetches are; empty: nobody is",
                 mistify::rpc::command_line::need::may_be_empty);
  options.option("--agent-token", settings.agent.token_file, "file with a token of the agent, for reports over TCP");
  options.flag("--host-network", settings.rules.host_network, "let guests have the host's network, as network `host`");
  options.flag("--volume-sizes", settings.rules.volume_sizes,
               "pass the size of a disk on to the engine, whose file system has quotas");
  options.option("--media", media, "folder of files that guests may read and not write; may be given several times");
  mistify::fetching::fetch_options fetching{64 * 1024, "MB that an archive of an image may have, unpacked"};
  fetching.add_to(options);
  if (auto done = options.parse(argc, argv))
    return *done;

  settings.folder = directory;
  settings.rules.media.assign(media.begin(), media.end());
  settings.fetching.agent = settings.agent;
  fetching.set(settings.fetching);

  std::optional<container::container_agent> agent;
  const auto status = mistify::rpc::run_agent("mistify-container", [&]() -> mistify::rpc::server& {
    const auto where = listening.place();
    settings.agent.users = settings.fetching.agent.users = where.allowed;
    return agent.emplace(where, settings).server();
  });
  agent.reset();
  mistify::rpc::log::flush();
  return status;
}
