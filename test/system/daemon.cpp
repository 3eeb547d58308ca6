#include "daemon.hpp"

#include "http_client.hpp"
#include "json_path.hpp"
#include "sockets.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace mistify::test {

namespace {

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A process writes which lines it ran at its orderly end, and not if it is killed; see etc/coverage.sh.
bool counts_lines() {
  static const bool wanted = std::getenv("MISTIFY_COVERAGE") != nullptr;
  return wanted;
}

/// Where the processes' stdout and stderr go. Sockets of the test are closed in it by themselves.
struct file_actions {
  explicit file_actions(const std::string& stderr_file) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 2, stderr_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  ~file_actions() { ::posix_spawn_file_actions_destroy(&actions); }
  posix_spawn_file_actions_t actions;
};

/// The test's config with the database put at `file`, unless it names a place itself.
std::string with_dbpath(const std::string& config, const std::filesystem::path& file) {
  if (at(config, "dbpath") != "(absent)")
    return config;
  const auto open = config.find('{');
  return "{\"dbpath\":" + json_string(file.string()) + (at(config, "") == "{}" ? "" : ",") + config.substr(open + 1);
}

} // namespace

process::process(const std::vector<std::string>& arguments, const std::string& stderr_file, const std::string& binary) {
  const file_actions files{stderr_file};
  std::vector<std::string> words{binary};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  if (const int error = ::posix_spawn(&id_, binary.c_str(), &files.actions, nullptr, argv.data(), environ); error != 0)
    throw std::system_error{error, std::generic_category(), binary};
}

process::~process() {
  if (counts_lines()) {
    signal(SIGTERM);
    eventually([&] { return !running(); }, std::chrono::seconds{5});
  }
  if (!running())
    return;
  signal(SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

void process::signal(int number) const {
  ::kill(id_, number);
}

bool process::running() {
  int status = 0;
  if (status_ < 0 && ::waitpid(id_, &status, WNOHANG) == id_)
    status_ = exit_code(status);
  return status_ < 0;
}

int process::wait() {
  if (!eventually([&] { return !running(); }, 2 * patience))
    throw std::runtime_error{"the agent does not end"};
  return status_;
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

run_result run_agent(const std::vector<std::string>& arguments) {
  const temp_dir dir;
  const auto err = dir.path() / "stderr";
  process running{arguments, err.string()};
  const int code = running.wait();
  return {code, read_text(err)};
}

daemon::daemon(const std::string& config) : port_{free_port()} {
  rewrite_config(config);
  start();
}

void daemon::rewrite_config(const std::string& config) {
  config_file_ = dir_.write("agent.json", with_dbpath(config, dir_.path() / "agent.db"));
}

daemon::~daemon() = default;

void daemon::start(const std::string& level) {
  const auto address = "127.0.0.1:" + std::to_string(port_);
  const auto file = dir_.path() / "stderr";
  std::vector<std::string> arguments{"-a", address, "-c", config_file_};
  if (!level.empty())
    arguments.insert(arguments.end(), {"-l", level});
  process_ = std::make_unique<process>(arguments, file.string());
  const auto answers = [&] {
    if (!alive())
      throw std::runtime_error{"the agent ended: " + log()};
    try {
      return http_client{port_}.get("/metadata").status > 0; // 401 where an identity is needed
    } catch (const std::exception&) {
      return false; // does not listen yet
    }
  };
  if (!eventually(answers))
    throw std::runtime_error{"the agent does not answer: " + log()};
}

int daemon::stop() {
  process_->signal(SIGTERM);
  return process_->wait();
}

void daemon::kill_and_start() {
  process_->signal(SIGKILL);
  process_->wait();
  start();
}

std::string daemon::log() const {
  return read_text(dir_.path() / "stderr");
}

} // namespace mistify::test
