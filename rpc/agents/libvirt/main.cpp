#include "rpc/agents/libvirt/libvirt_agent.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/base/log.hpp"
#include "rpc/kit/run_agent.hpp"

#include <optional>

int main(int argc, char** argv) {
  mistify::rpc::listen_options listening{.port = 20001};
  mistify::agents::libvirt_settings settings{.agent = "http://127.0.0.1:8080"};
  mistify::rpc::command_line options{"mistify-libvirt", "A sub-agent that runs virtual machines through libvirt."};
  listening.add_to(options);
  options.option("-c,--connect", settings.uri,
                 "libvirt's URI of the hypervisor: qemu:///system for QEMU and KVM. The default is libvirt's test "
                 "driver, whose machines are not real");
  options.option("-a,--agent", settings.agent.url,
                 "URL of the agent, which is told what guests do by themselves; empty: nobody is",
                 mistify::rpc::command_line::need::may_be_empty);
  options.option("--agent-token", settings.agent.token_file, "file with a token of the agent, for reports over TCP");
  options.option("--consoles", settings.consoles, "folder for the logs of the serial consoles");
  options.option("--state", settings.state,
                 "folder for what is known of guests, so that a machine that goes while mistify-libvirt is down is "
                 "reported as missing; two processes need two folders. None: such guests keep their state");
  options.option(
    "--store", settings.places.stores,
    "folder or ZFS pool where mistify-storage keeps the disks of guests; may be given several times. None: "
    "/var/lib/mistify-storage");
  options.option("--media", settings.places.media,
                 "folders of ISO images, kernels and initrds, with colons between them, which guests may read and not "
                 "write. They may not overlap a store");
  options.option("--vnc-ports", settings.vnc_ports, "ports on 127.0.0.1 that guests may have for VNC");
  options.flag("--user-network", settings.user_network,
               "give nics without a network QEMU's user network, through which guests reach the services on this "
               "host's loopback");
  if (auto done = options.parse(argc, argv))
    return *done;

  std::optional<mistify::agents::libvirt_agent> agent;
  const auto status = mistify::rpc::run_agent("mistify-libvirt", [&]() -> mistify::rpc::server& {
    const auto where = listening.place();
    settings.agent.users = where.allowed;
    return agent.emplace(where, settings).server();
  });
  agent.reset();
  mistify::rpc::log::flush();
  return status;
}
