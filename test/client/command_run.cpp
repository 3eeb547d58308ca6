#include "command_run.hpp"

#include "test/system/daemon.hpp"
#include "test/system/sockets.hpp"
#include "test/system/temp_dir.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace mistify::test {

namespace {

/// In the child.
[[noreturn]] void become(const std::vector<std::string>& words, const environment& more) {
  for (const auto* name : {"MISTIFY_HOST", "MISTIFY_TOKEN", "MISTIFY_CLUSTER", "NO_COLOR"})
    ::unsetenv(name);
  for (const auto& [name, value] : more)
    ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const auto& word : words)
    argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  ::_exit(127);
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

ran run_command(const std::vector<std::string>& arguments, const environment& more, const std::string& input) {
  const temp_dir dir;
  const auto in = dir.write("in", input);
  const auto out = (dir.path() / "out").string(), err = (dir.path() / "err").string();
  std::vector<std::string> words{MISTIFY_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto child = ::fork();
  if (child < 0)
    throw std::runtime_error{"no process"};
  if (child == 0) {
    ::dup2(::open(in.c_str(), O_RDONLY), 0);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0600), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0600), 2);
    become(words, more);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {exit_code(status), read_text(out), read_text(err)};
}

terminal::terminal(const std::vector<std::string>& words, const environment& more, unsigned columns) {
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  id_ = ::forkpty(&fd_, nullptr, nullptr, &size);
  if (id_ < 0)
    throw std::runtime_error{"no pseudo-terminal"};
  if (id_ == 0) {
    auto all = more;
    all.emplace("TERM", "xterm");
    become(words, all);
  }
}

terminal::~terminal() {
  if (id_ > 0) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  ::close(fd_);
}

bool terminal::read_some(int milliseconds) {
  pollfd ready{fd_, POLLIN, 0};
  if (::poll(&ready, 1, milliseconds) <= 0)
    return true;
  std::array<char, 4096> piece{};
  const auto n = ::read(fd_, piece.data(), piece.size());
  if (n <= 0)
    return n < 0 && errno == EINTR;
  text_.append(piece.data(), static_cast<std::size_t>(n));
  return true;
}

bool terminal::shows(const std::string& text) {
  return eventually([&] {
           const bool open = text_.find(text) != std::string::npos || read_some(50);
           return text_.find(text) != std::string::npos || !open;
         }) &&
         text_.find(text) != std::string::npos;
}

void terminal::type(const std::string& keys) const {
  if (::write(fd_, keys.data(), keys.size()) < 0)
    throw std::runtime_error{"the terminal is gone"};
}

int terminal::ends() {
  if (!eventually([&] { return !read_some(50); }))
    throw std::runtime_error{"the program does not end: " + text_};
  int status = 0;
  ::waitpid(id_, &status, 0);
  id_ = -1;
  return exit_code(status);
}

} // namespace mistify::test
