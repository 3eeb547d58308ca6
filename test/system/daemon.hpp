#pragma once

#include "temp_dir.hpp"

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mistify::test {

/// The agent's binary, or another, as a process. Its stderr goes to a file.
class process {
public:
  /// Starts it with these arguments.
  process(const std::vector<std::string>& arguments, const std::string& stderr_file,
          const std::string& binary = AGENT_BINARY);
  ~process(); ///< kills what still runs
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  void signal(int number) const;
  /// Waits for its end: the exit code, or 128 + the signal that ended it. Throws when it does not end.
  int wait();
  bool running();
  pid_t id() const noexcept { return id_; }

private:
  pid_t id_ = -1;
  int status_ = -1; // as `wait` returns it; -1: not known to have ended
};

/// What a run of the agent that ends by itself left behind.
struct run_result {
  int code = -1;
  std::string err;
};

/// Runs the agent until it ends.
run_result run_agent(const std::vector<std::string>& arguments);

/// An agent that serves: on a free port, with a database and a config of its own.
class daemon {
public:
  /// Writes `config` and starts. The first answer has come when it returns.
  explicit daemon(const std::string& config);
  ~daemon();

  /// The path of its database.
  std::string database() const { return (dir_.path() / "agent.db").string(); }

  std::uint16_t port() const noexcept { return port_; }
  process& running() { return *process_; }

  /// SIGTERM; returns the exit code.
  int stop();
  /// Starts again after it ended, with the same config, database and port. `level` is the command line's; "": none.
  void start(const std::string& level = "info");
  void kill_and_start();
  /// What the next start, or SIGHUP, reads.
  void rewrite_config(const std::string& config);
  bool alive() { return process_->running(); }

  /// All that was logged since the first start.
  std::string log() const;

private:
  temp_dir dir_;
  std::string config_file_;
  std::uint16_t port_;
  std::unique_ptr<process> process_;
};

/// A file's text, "" where there is none.
std::string read_text(const std::filesystem::path& file);

} // namespace mistify::test
