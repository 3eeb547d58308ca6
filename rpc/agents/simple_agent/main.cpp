#include "rpc/agents/simple_agent/simple_agent.hpp"
#include "rpc/serve.hpp"

#include <CLI/CLI.hpp>
#include <optional>

int main(int argc, char** argv) {
  CLI::App app{"The smallest sub-agent: says yes to every guest action, or no to some."};
  std::uint16_t port = 9998;
  unsigned percent = 0;
  app.add_option("-p,--port", port, "port on 127.0.0.1, 0 for a free one")->capture_default_str();
  app.add_option("--percent-failure", percent, "how many of a hundred calls fail")
    ->check(CLI::Range(0, 100))
    ->capture_default_str();
  app.set_version_flag("--version", "mistify-simple-agent " MISTIFY_VERSION);
  CLI11_PARSE(app, argc, argv);

  std::optional<mistify::agents::simple_agent> agent;
  return mistify::rpc::serve_until_signal(
    "mistify-simple-agent", [&]() -> mistify::rpc::server& { return agent.emplace(port, percent).server(); });
}
