#include "rpc/agents/examples/test_agent/test_agent.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/kit/run_agent.hpp"

#include <optional>

int main(int argc, char** argv) {
  mistify::rpc::listen_options listening{.port = 9999};
  unsigned delay = 0;
  mistify::rpc::command_line options{
    "mistify-test-agent", "A sub-agent for every action, in memory, to try the agent with (see etc/example.json)."};
  listening.add_to(options);
  options.option("--delay", delay, "milliseconds by which every answer is late", 3'600'000);
  if (auto done = options.parse(argc, argv))
    return *done;

  std::optional<mistify::agents::test_agent> agent;
  return mistify::rpc::run_agent("mistify-test-agent", [&]() -> mistify::rpc::server& {
    return agent.emplace(listening.place(), std::chrono::milliseconds{delay}).server();
  });
}
