#include "rpc/agents/storage/command.hpp"

#include "rpc/base/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_error>

namespace mistify::agents::storage {

namespace {

using rpc::unique_fd;
using std::chrono::steady_clock;

constexpr std::size_t max_message = 2000; // of stderr: it becomes the text of a job
constexpr std::chrono::milliseconds between_questions{100};

struct pipe_ends {
  unique_fd read, write;
};

pipe_ends make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0)
    throw std::system_error{errno, std::generic_category(), "pipe"};
  return {unique_fd{fds[0]}, unique_fd{fds[1]}};
}

/// The attributes of a child: a process group of its own, no signals blocked or ignored.
class spawn_settings {
public:
  spawn_settings(int out, int err, const std::string& input) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, input.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, 1);
    posix_spawn_file_actions_adddup2(&actions_, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  spawn_settings(const spawn_settings&) = delete;
  spawn_settings& operator=(const spawn_settings&) = delete;
  ~spawn_settings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment() {
  const char* path = std::getenv("PATH");
  return {std::string{"PATH="} + (path ? path : "/usr/sbin:/usr/bin:/sbin:/bin"), "LC_ALL=C",
          "MALLOC_ARENA_MAX=2"}; // address space is bounded, and more of them would take it for nothing
}

/// A running program; killed with all its children when it is given up.
class child {
public:
  child(std::vector<std::string> command, const command_limits& limits) : name_{command.at(0)} {
    auto out = make_pipe(), err = make_pipe();
    const spawn_settings settings{out.write.get(), err.write.get(), limits.input};
    auto variables = environment();
    const auto arguments = pointers_to(command);
    const auto environment = pointers_to(variables);
    const int trouble = ::posix_spawnp(&id_, arguments[0], settings.actions(), settings.attributes(), arguments.data(),
                                       environment.data());
    if (trouble != 0)
      throw command_failed{name_ + ": " + std::strerror(trouble)};
    try {
      restrict(limits.resources);
    } catch (...) {
      end();
      throw;
    }
    out_ = std::move(out.read);
    err_ = std::move(err.read);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() { end(); }

  /// Waits for bytes and appends them; false when stdout and stderr have ended.
  bool read(std::string& out, std::string& err) {
    std::array<pollfd, 2> fds{{{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(between_questions.count())) <= 0)
      return true;
    if (fds[0].revents != 0)
      read_from(out_, out, SIZE_MAX);
    if (fds[1].revents != 0)
      read_from(err_, err, max_message);
    return out_ || err_;
  }

  /// Its exit status, or 128 + the signal that ended it.
  int wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  const std::string& name() const { return name_; }

private:
  void end() {
    if (id_ <= 0)
      return;
    ::kill(-id_, SIGKILL);
    wait();
  }

  /// From outside, since posix_spawn cannot: the program is still being loaded, and what counts is what it does later.
  void restrict(const resource_limits& to) const {
    const auto set = [&](__rlimit_resource which, std::uint64_t most) {
      const rlimit limit{most, most};
      if (most > 0 && ::prlimit(id_, which, &limit, nullptr) != 0 && errno != ESRCH)
        throw std::system_error{errno, std::generic_category(), "prlimit"};
    };
    set(RLIMIT_AS, to.memory);
    set(RLIMIT_FSIZE, to.file);
    set(RLIMIT_CPU, to.cpu);
    set(RLIMIT_NOFILE, to.open_files);
  }

  static void read_from(unique_fd& fd, std::string& to, std::size_t most) {
    std::array<char, 64 * 1024> bytes;
    const auto n = ::read(fd.get(), bytes.data(), bytes.size());
    if (n > 0)
      to.append(bytes.data(), std::min(static_cast<std::size_t>(n), most - std::min(most, to.size())));
    else if (n == 0 || errno != EINTR)
      fd = unique_fd{};
  }

  std::string name_;
  pid_t id_ = -1;
  unique_fd out_, err_;
};

/// Without the program's name in front, which says nothing to whoever asked for a snapshot.
std::string message_of(const child& program, std::string err, int status) {
  while (!err.empty() && (err.back() == '\n' || err.back() == ' '))
    err.pop_back();
  if (const auto prefix = program.name() + ": "; err.starts_with(prefix))
    err.erase(0, prefix.size());
  return err.empty() ? program.name() + " ended with status " + std::to_string(status) : err;
}

void expect_within(const command_limits& limits, steady_clock::time_point until, const child& program) {
  if (limits.stop && limits.stop())
    throw command_failed{"cancelled"};
  if (steady_clock::now() >= until)
    throw command_failed{program.name() + ": not done in time"};
}

void expect_success(child& program, std::string err) {
  if (const int status = program.wait(); status != 0)
    throw command_failed{message_of(program, std::move(err), status), status};
}

} // namespace

std::string run(const std::vector<std::string>& command, const command_limits& limits) {
  const auto until = steady_clock::now() + limits.time;
  child program{command, limits};
  std::string out, err;
  while (program.read(out, err)) {
    expect_within(limits, until, program);
    if (out.size() > limits.output)
      throw command_failed{program.name() + ": says too much"};
  }
  expect_success(program, std::move(err));
  return out;
}

bool run_streaming(const std::vector<std::string>& command, const std::function<bool(std::string_view)>& write,
                   const command_limits& limits) {
  child program{command, limits};
  std::string out, err;
  auto until = steady_clock::now() + limits.time;
  while (program.read(out, err)) {
    expect_within(limits, until, program);
    if (out.empty())
      continue;
    if (!write(out))
      return false;
    out.clear();
    until = steady_clock::now() + limits.time;
  }
  expect_success(program, std::move(err));
  return true;
}

} // namespace mistify::agents::storage
