#include "rpc/agents/examples/webhook_agent/webhook_agent.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/kit/run_agent.hpp"

#include <optional>

int main(int argc, char** argv) {
  mistify::rpc::listen_options listening{.port = 9997};
  std::string endpoint;
  mistify::rpc::command_line options{"mistify-webhook-agent",
                                     "A sub-agent that posts a message about each action to a web service."};
  listening.add_to(options);
  options.option("-e,--endpoint", endpoint, "URL that takes the messages", mistify::rpc::command_line::need::required);
  if (auto done = options.parse(argc, argv))
    return *done;

  std::optional<mistify::agents::webhook_agent> agent;
  return mistify::rpc::run_agent("mistify-webhook-agent", [&]() -> mistify::rpc::server& {
    return agent.emplace(listening.place(), endpoint).server();
  });
}
