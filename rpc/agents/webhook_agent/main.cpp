#include "rpc/agents/webhook_agent/webhook_agent.hpp"
#include "rpc/serve.hpp"

#include <CLI/CLI.hpp>
#include <optional>

int main(int argc, char** argv) {
  CLI::App app{"A sub-agent that posts a message about each action to a web service."};
  std::uint16_t port = 9997;
  std::string endpoint;
  app.add_option("-p,--port", port, "port on 127.0.0.1, 0 for a free one")->capture_default_str();
  app.add_option("-e,--endpoint", endpoint, "URL that takes the messages")->required();
  app.set_version_flag("--version", "mistify-webhook-agent " MISTIFY_VERSION);
  CLI11_PARSE(app, argc, argv);

  std::optional<mistify::agents::webhook_agent> agent;
  return mistify::rpc::serve_until_signal(
    "mistify-webhook-agent", [&]() -> mistify::rpc::server& { return agent.emplace(port, endpoint).server(); });
}
