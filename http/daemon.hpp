#pragma once

#include <string>
#include <vector>

namespace mistify::http {

/// What the command line says.
struct daemon_options {
  std::string address;   ///< where to listen; empty: not said
  bool insecure = false; ///< may listen beyond loopback, although nobody is asked who they are
  std::string config_file;
  std::string import_from;               ///< the original's database to begin with, or empty
  std::string log_level;                 ///< wins over the config's at the start; empty: not said
  std::vector<std::string> command_line; ///< as it was given, for the debug endpoint
};

/// Runs the agent until SIGTERM or SIGINT, then drains it. Must be called on the main thread, before any other thread is
/// started. A second signal ends the process at once. Throws `failure` where the start is refused.
void run_daemon(const daemon_options& wanted);

/// `--check-config`: prints the merged config as JSON, without secrets, or every mistake of its files with its line to
/// stderr. Starts nothing. Returns the exit status.
int check_config(const daemon_options& wanted);

} // namespace mistify::http
