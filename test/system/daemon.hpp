#pragma once

#include "temp_dir.hpp"

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mistify::test {

/// A process of the agent's binary, or of another one. Its stderr is written to a file.
class process {
public:
  /// Starts the process with these arguments.
  process(const std::vector<std::string>& arguments, const std::string& stderr_file,
          const std::string& binary = AGENT_BINARY);
  ~process(); ///< kills the process if it still runs
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  void signal(int number) const;
  /// Waits for the end. Returns the exit code, or 128 + the signal that ended it. Throws after a time-out.
  int wait();
  bool running();
  pid_t id() const noexcept { return id_; }

private:
  pid_t id_ = -1;
  int status_ = -1; // the result of `wait`; -1: not known to have ended
};

/// The result of an agent that exits by itself.
struct run_result {
  int code = -1;
  std::string err;
};

/// Runs the agent until it ends.
run_result run_agent(const std::vector<std::string>& arguments);

/// A serving agent: on a free port, with a database and a config of its own.
class daemon {
public:
  /// Writes `config` and starts the agent. Returns after its first response.
  explicit daemon(const std::string& config);
  ~daemon();

  /// The path of its database.
  std::string database() const { return (dir_.path() / "agent.db").string(); }

  std::uint16_t port() const noexcept { return port_; }
  process& running() { return *process_; }

  /// Sends SIGTERM; returns the exit code.
  int stop();
  /// Restarts it after its end, with the same config, database and port. `level` is the command line's; "": none.
  void start(const std::string& level = "info");
  void kill_and_start();
  /// Replaces the config for the next start or SIGHUP.
  void rewrite_config(const std::string& config);
  bool alive() { return process_->running(); }

  /// Returns everything logged since the first start.
  std::string log() const;

private:
  temp_dir dir_;
  std::string config_file_;
  std::uint16_t port_;
  std::unique_ptr<process> process_;
};

/// Returns a file's text; "" if it does not exist.
std::string read_text(const std::filesystem::path& file);

} // namespace mistify::test
