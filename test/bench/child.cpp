#include "child.hpp"

#include "test/system/sockets.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace mistify::bench {

namespace {

[[noreturn]] void become(char* const* argv, const char* output_file) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(output_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execvp(argv[0], argv);
  ::_exit(127);
}

} // namespace

child::child(const std::vector<std::string>& words, const std::string& output_file) {
  std::vector<char*> argv;
  for (const auto& word : words)
    argv.push_back(const_cast<char*>(word.c_str())); // exec leaves them alone
  argv.push_back(nullptr);
  id_ = ::fork();
  if (id_ < 0)
    throw std::system_error{errno, std::generic_category(), "fork"};
  if (id_ == 0)
    become(argv.data(), output_file.c_str());
}

child::child(child&& other) noexcept : id_{std::exchange(other.id_, -1)}, status_{other.status_} {}

child::~child() {
  kill();
}

bool child::running() {
  if (id_ > 0 && ::waitpid(id_, &status_, WNOHANG) == id_)
    id_ = -1;
  return id_ > 0;
}

void child::kill() {
  if (!running())
    return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, &status_, 0);
  id_ = -1;
}

void child::finish(std::chrono::milliseconds limit) {
  if (!test::eventually([&] { return !running(); }, limit))
    throw std::runtime_error{"a program that the benchmark started does not end"};
  if (!WIFEXITED(status_) || WEXITSTATUS(status_) != 0)
    throw std::runtime_error{"a program that the benchmark started failed"};
}

} // namespace mistify::bench
