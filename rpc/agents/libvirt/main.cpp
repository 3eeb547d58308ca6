#include "rpc/agents/libvirt/libvirt_agent.hpp"
#include "rpc/command_line.hpp"
#include "rpc/serve.hpp"

#include <optional>

int main(int argc, char** argv) {
  std::uint16_t port = 20001;
  std::string uri = "test:///default";
  std::string consoles = "/var/log/mistify-libvirt";
  mistify::rpc::command_line options{"mistify-libvirt", "A sub-agent that runs virtual machines through libvirt."};
  options.option("-p,--port", port, "port on 127.0.0.1, 0 for a free one");
  options.option("-c,--connect", uri,
                 "libvirt's URI of the hypervisor: qemu:///system for QEMU and KVM. The default is libvirt's test "
                 "driver, whose machines are not real");
  options.option("--consoles", consoles, "folder for the logs of the serial consoles");
  if (auto done = options.parse(argc, argv))
    return *done;

  std::optional<mistify::agents::libvirt_agent> agent;
  return mistify::rpc::serve_until_signal(
    "mistify-libvirt", [&]() -> mistify::rpc::server& { return agent.emplace(port, uri, consoles).server(); });
}
