#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/storage_agent.hpp"
#include "rpc/command_line.hpp"
#include "rpc/serve.hpp"

#include <optional>

int main(int argc, char** argv) {
  namespace storage = mistify::agents::storage;
  std::uint16_t port = 19999;
  std::string directory = "/var/lib/mistify-storage";
  mistify::rpc::command_line options{"mistify-storage", "A sub-agent that keeps disks and images."};
  options.option("-p,--port", port, "port on 127.0.0.1, 0 for a free one");
  options.option("-d,--directory", directory, "folder to keep everything in, as qcow2 files");
  if (auto done = options.parse(argc, argv))
    return *done;

  std::optional<storage::storage_agent> agent;
  return mistify::rpc::serve_until_signal("mistify-storage", [&]() -> mistify::rpc::server& {
    return agent.emplace(port, std::make_unique<storage::directory_store>(directory)).server();
  });
}
