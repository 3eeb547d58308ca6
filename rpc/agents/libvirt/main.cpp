#include "rpc/agents/libvirt/libvirt_agent.hpp"
#include "rpc/command_line.hpp"
#include "rpc/log.hpp"
#include "rpc/serve.hpp"

#include <optional>

int main(int argc, char** argv) {
  std::uint16_t port = 20001;
  mistify::agents::libvirt_settings settings{.agent_url = "http://127.0.0.1:8080"};
  mistify::rpc::command_line options{"mistify-libvirt", "A sub-agent that runs virtual machines through libvirt."};
  options.option("-p,--port", port, "port on 127.0.0.1, 0 for a free one");
  options.option("-c,--connect", settings.uri,
                 "libvirt's URI of the hypervisor: qemu:///system for QEMU and KVM. The default is libvirt's test "
                 "driver, whose machines are not real");
  options.option("-a,--agent", settings.agent_url,
                 "URL of the agent, which is told what guests do by themselves; empty: nobody is");
  options.option("--consoles", settings.consoles, "folder for the logs of the serial consoles");
  options.option("--media", settings.media,
                 "folders that disks, kernels and initrds may be in, with colons between them");
  if (auto done = options.parse(argc, argv))
    return *done;

  std::optional<mistify::agents::libvirt_agent> agent;
  const auto status = mistify::rpc::serve_until_signal(
    "mistify-libvirt", [&]() -> mistify::rpc::server& { return agent.emplace(port, settings).server(); });
  agent.reset();
  mistify::rpc::log::flush();
  return status;
}
