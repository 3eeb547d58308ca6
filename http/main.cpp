#include "http/cli/stop_guests_command.hpp"
#include "http/cli/token_command.hpp"
#include "http/daemon.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/base/last_words.hpp"
#include "rpc/base/log.hpp"

#include <cstdlib>
#include <optional>
#include <string_view>

namespace {

using namespace mistify;

/// Parses the command line; what it returns is the exit code where nothing is left to do.
std::optional<int> parse(int argc, char** argv, http::daemon_options& wanted) {
  rpc::command_line options{"mistify-agent", "Mistify Agent: runs the guests of one hypervisor"};
  options.option("-a,--address", wanted.address,
                 "where to listen: host, port or host:port (default 127.0.0.1:8080, with --insecure :8080)");
  options.flag("--insecure", wanted.insecure, "may listen beyond this machine, where everybody may do everything");
  options.option("-c,--config-file", wanted.config_file, "config file, or a folder of *.json files",
                 rpc::command_line::need::required);
  options.option("-l,--log-level", wanted.log_level,
                 "debug, info, warning, error, critical or fatal; without it the config's, else warning");
  options.option("--import", wanted.import_from,
                 "database of the original agent, to begin with where there is none yet");
  bool check = false;
  options.flag("--check-config", check, "print the merged config, or every mistake in it, and exit");
  if (auto done = options.parse(argc, argv))
    return done;
  if (check)
    return http::check_config(wanted);
  if (!wanted.log_level.empty() && !rpc::log::is_level(wanted.log_level)) {
    rpc::last_words("mistify-agent", wanted.log_level + " is not a log level");
    return EXIT_FAILURE;
  }
  return std::nullopt;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view{argv[1]} == "token")
    return http::run_token_command(argc - 1, argv + 1);
  if (argc > 1 && std::string_view{argv[1]} == "stop-guests")
    return http::run_stop_guests_command(argc - 1, argv + 1);
  http::daemon_options wanted;
  if (const auto done = parse(argc, argv, wanted))
    return *done;
  wanted.command_line.assign(argv, argv + argc);
  try {
    http::run_daemon(wanted);
    return EXIT_SUCCESS;
  } catch (const std::exception& e) {
    rpc::last_words("mistify-agent", e.what());
    return EXIT_FAILURE;
  }
}
