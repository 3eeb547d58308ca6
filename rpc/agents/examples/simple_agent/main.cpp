#include "rpc/agents/examples/simple_agent/simple_agent.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/kit/run_agent.hpp"

#include <optional>

int main(int argc, char** argv) {
  mistify::rpc::listen_options listening{.port = 9998};
  unsigned percent = 0;
  mistify::rpc::command_line options{"mistify-simple-agent",
                                     "The smallest sub-agent: says yes to every guest action, or no to some."};
  listening.add_to(options);
  options.option("--percent-failure", percent, "how many of a hundred calls fail", 100);
  if (auto done = options.parse(argc, argv))
    return *done;

  std::optional<mistify::agents::simple_agent> agent;
  return mistify::rpc::run_agent("mistify-simple-agent", [&]() -> mistify::rpc::server& {
    return agent.emplace(listening.place(), percent).server();
  });
}
