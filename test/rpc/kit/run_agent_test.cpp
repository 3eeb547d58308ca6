#include "rpc/client/client.hpp"
#include "rpc/kit/run_agent.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <future>
#include <optional>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mistify;
using namespace std::chrono_literals;

namespace {

constexpr auto socket_variable = "MISTIFY_TEST_SOCKET";

/// This program again, as a process that runs one hidden test case. Its stdout can be read.
class own_child {
public:
  explicit own_child(std::string test_case) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclose(&files, ends[0]);
    std::string program = "test_rpc";
    char* arguments[] = {program.data(), test_case.data(), nullptr};
    REQUIRE(::posix_spawn(&id_, "/proc/self/exe", &files, nullptr, arguments, environ) == 0);
    ::posix_spawn_file_actions_destroy(&files);
    ::close(ends[1]);
    out_ = ends[0];
  }
  own_child(const own_child&) = delete;
  own_child& operator=(const own_child&) = delete;
  ~own_child() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      wait();
    }
    ::close(out_);
  }

  /// False at the end of its output.
  bool says(const std::string& text) {
    char byte = 0;
    while (said_.find(text) == said_.npos && ::read(out_, &byte, 1) == 1)
      said_ += byte;
    return said_.find(text) != said_.npos;
  }
  void signal(int number) const { ::kill(id_, number); }
  /// Returns the exit status; -1 where a signal ended it.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(id_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

private:
  pid_t id_ = -1;
  int out_ = -1;
  std::string said_;
};

void tell(std::string_view line) {
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, line.data(), line.size());
}

} // namespace

TEST_CASE("child: a sub-agent with a call that never ends", "[.]") {
  std::optional<rpc::server> server;
  rpc::run_agent(
    "child",
    [&]() -> rpc::server& {
      server.emplace(rpc::listen_at{std::string{std::getenv(socket_variable)}});
      server->handle_raw("Hang", [](std::string_view) -> std::string {
        tell("called\n");
        for (;;)
          ::pause();
      });
      server->handle_raw("Echo", [](std::string_view params) { return std::string{params}; });
      return *server;
    },
    1s);
}

namespace {

/// The sub-agent as a process that listens.
struct hanging_agent {
  hanging_agent() { REQUIRE(child.says("listens on")); }

  test::temp_dir folder;
  rpc::endpoint at = [this] {
    rpc::endpoint to;
    to.socket = (folder.path() / "agent.sock").string();
    ::setenv(socket_variable, to.socket.c_str(), 1);
    return to;
  }();
  own_child child{"child: a sub-agent with a call that never ends"};
};

} // namespace

TEST_CASE_METHOD(hanging_agent, "a sub-agent ends soon after SIGTERM although a call does not") {
  rpc::client caller{at};
  auto broke_off = std::async(std::launch::async, [&] {
    try {
      caller.call("Hang", "{}", 30s, {});
      return false;
    } catch (const rpc::failure&) {
      return true;
    }
  });
  REQUIRE(child.says("called"));
  child.signal(SIGTERM);
  CHECK(child.wait() == 1);
  CHECK(broke_off.get());
}

TEST_CASE_METHOD(hanging_agent, "a sub-agent whose calls have ended stops with exit status 0 at SIGTERM") {
  CHECK(rpc::client{at}.call("Echo", R"({"a":1})", 5s, {}).root().text() == R"({"a":1})");
  child.signal(SIGTERM);
  CHECK(child.wait() == 0);
}
