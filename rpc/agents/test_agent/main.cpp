#include "rpc/agents/test_agent/test_agent.hpp"
#include "rpc/serve.hpp"

#include <CLI/CLI.hpp>
#include <optional>

int main(int argc, char** argv) {
  CLI::App app{"A sub-agent for every action, in memory, to try the agent with (see etc/example.json)."};
  std::uint16_t port = 9999;
  unsigned delay = 0;
  app.add_option("-p,--port", port, "port on 127.0.0.1, 0 for a free one")->capture_default_str();
  app.add_option("--delay", delay, "milliseconds by which every answer is late")->capture_default_str();
  app.set_version_flag("--version", "mistify-test-agent " MISTIFY_VERSION);
  CLI11_PARSE(app, argc, argv);

  std::optional<mistify::agents::test_agent> agent;
  return mistify::rpc::serve_until_signal("mistify-test-agent", [&]() -> mistify::rpc::server& {
    return agent.emplace(port, std::chrono::milliseconds{delay}).server();
  });
}
