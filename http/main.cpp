#include "http/daemon.hpp"
#include "rpc/log.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <iostream>
#include <optional>

namespace {

using namespace mistify;

/// Parses the command line; what it returns is the exit code where nothing is left to do.
std::optional<int> parse(int argc, char** argv, http::daemon_options& wanted) {
  std::string log_level = "warning";
  CLI::App app{"Mistify Agent: runs the guests of one hypervisor", "mistify-agent"};
  app.set_version_flag("--version", "mistify-agent " MISTIFY_VERSION);
  app.add_option("-a,--address", wanted.address, "where to listen: host, port or host:port")->capture_default_str();
  app.add_option("-c,--config-file", wanted.config_file, "config file, or a folder of *.json files")->required();
  app.add_option("-l,--log-level", log_level, "debug, info, warning, error, critical or fatal")->capture_default_str();
  app.add_option("--import", wanted.import_from,
                 "database of the original agent, to begin with where there is none yet");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  if (!rpc::log::set_level(log_level)) {
    std::cerr << "mistify-agent: " << log_level << " is not a log level\n";
    return EXIT_FAILURE;
  }
  return std::nullopt;
}

} // namespace

int main(int argc, char** argv) {
  http::daemon_options wanted;
  if (const auto done = parse(argc, argv, wanted))
    return *done;
  wanted.command_line.assign(argv, argv + argc);
  try {
    http::run_daemon(wanted);
    return EXIT_SUCCESS;
  } catch (const std::exception& e) {
    // One clear line, for the operator who looks at why the unit did not start.
    std::cerr << "mistify-agent: " << e.what() << '\n';
    return EXIT_FAILURE;
  }
}
