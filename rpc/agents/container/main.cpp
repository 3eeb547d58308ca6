#include "rpc/agents/container/container_agent.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/base/log.hpp"
#include "rpc/fetch/units.hpp"
#include "rpc/kit/run_agent.hpp"

#include <chrono>
#include <optional>

int main(int argc, char** argv) {
  namespace container = mistify::agents::container;
  mistify::rpc::listen_options listening{.port = 30001};
  container::container_settings settings{.agent = "http://127.0.0.1:8080"};
  auto& fetching = settings.fetching;
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
  unsigned max_image = 64 * 1024;
  options.option("--max-image", max_image, "MB that an archive of an image may have, unpacked", 64 * 1024 * 1024);
  options.option("--allow-net", fetching.reading.nets,
                 "network (CIDR) that images may come from beside the Internet; may be given several times");
  fetching.reading.least_rate = 4;
  options.option("--least-rate", fetching.reading.least_rate, "KiB a second that a source has to send, over 30 s",
                 1024 * 1024);
  unsigned fetch_time = 24 * 60;
  options.option("--fetch-time", fetch_time, "minutes that a fetch may take", 365 * 24 * 60);
  options.option("--files", fetching.reading.files,
                 "folder that file:// URLs of images may lead into; may be given several times. None: any file");
  options.option("--ca-file", fetching.reading.ca_file, "certificates to trust at https, instead of the system's");
  if (auto done = options.parse(argc, argv))
    return *done;

  settings.folder = directory;
  settings.rules.media.assign(media.begin(), media.end());
  fetching.agent = settings.agent;
  fetching.limits.max_size = max_image * mistify::fetching::megabyte;
  fetching.limits.time = std::chrono::minutes{fetch_time};
  fetching.reading.least_rate *= 1024;

  std::optional<container::container_agent> agent;
  const auto status = mistify::rpc::run_agent("mistify-container", [&]() -> mistify::rpc::server& {
    return agent.emplace(listening.place(), settings).server();
  });
  agent.reset();
  mistify::rpc::log::flush();
  return status;
}
