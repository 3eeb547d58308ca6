#include "house.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mistify::test;

namespace {

/// Standard descriptors that processes which are started meanwhile do not have. The tests' own are put back.
class closed_descriptors {
public:
  closed_descriptors() {
    for (int fd = 0; fd < 3; ++fd) {
      kept_[static_cast<std::size_t>(fd)] = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
  ~closed_descriptors() {
    for (int fd = 0; fd < 3; ++fd) {
      const int kept = kept_[static_cast<std::size_t>(fd)];
      ::dup2(kept, fd);
      ::close(kept);
    }
  }
  closed_descriptors(const closed_descriptors&) = delete;
  closed_descriptors& operator=(const closed_descriptors&) = delete;

private:
  std::array<int, 3> kept_{};
};

/// A process whose stdin, stdout and stderr are closed.
class bare_process {
public:
  explicit bare_process(std::vector<std::string> words) {
    const closed_descriptors none;
    std::vector<char*> argv;
    for (auto& word : words)
      argv.push_back(word.data());
    argv.push_back(nullptr);
    REQUIRE(::posix_spawn(&id_, argv[0], nullptr, nullptr, argv.data(), environ) == 0);
  }
  ~bare_process() {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  bare_process(const bare_process&) = delete;
  bare_process& operator=(const bare_process&) = delete;

  /// Where a descriptor leads to.
  std::string leads_to(int fd) const {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/" + std::to_string(id_) + "/fd/" + std::to_string(fd), error).string();
  }
  bool alive() const { return ::waitpid(id_, nullptr, WNOHANG) == 0; }

private:
  pid_t id_ = -1;
};

bool answers(std::uint16_t port) {
  try {
    return http_client{port}.get("/metadata").status != 0;
  } catch (const std::exception&) {
    return false;
  }
}

constexpr int meaningless[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGVTALRM, SIGIO, SIGPWR};

} // namespace

TEST_CASE("signals that mean nothing to the agent do not end it") {
  house h;
  for (const int number : meaningless)
    h.agent.running().signal(number);
  h.agent.running().signal(SIGHUP); // has the log's settings read again
  CHECK(h.http.get("/guests").status == 200);
  CHECK(h.agent.stop() == 0);
}

TEST_CASE("signals that mean nothing to a sub-agent do not end it") {
  const temp_dir dir;
  const auto port = free_port();
  process storage{
    {"--port", std::to_string(port), "--directory", dir.path() / "store"}, dir.path() / "stderr", STORAGE_BINARY};
  REQUIRE(eventually([&] { return answers(port); }));
  for (const int number : meaningless)
    storage.signal(number);
  storage.signal(SIGHUP);
  CHECK(answers(port));
  storage.signal(SIGTERM);
  CHECK(storage.wait() == 0);
}

TEST_CASE("an agent that was started without stdin, stdout and stderr has nothing else under their numbers") {
  const temp_dir dir;
  const auto port = free_port();
  const auto config = dir.write("agent.json", R"({"dbpath":")" + (dir.path() / "agent.db").string() + R"("})");
  const bare_process agent{{AGENT_BINARY, "-a", "127.0.0.1:" + std::to_string(port), "-c", config, "-l", "debug"}};
  REQUIRE(eventually([&] { return answers(port); }));
  for (int fd = 0; fd < 3; ++fd)
    CHECK(agent.leads_to(fd) == "/dev/null");
  CHECK(agent.alive());
}

TEST_CASE("a sub-agent that was started without stdin, stdout and stderr serves") {
  const temp_dir dir;
  const auto port = free_port();
  const bare_process storage{{STORAGE_BINARY, "--port", std::to_string(port), "--directory", dir.path() / "store"}};
  REQUIRE(eventually([&] { return answers(port); }));
  for (int fd = 0; fd < 3; ++fd)
    CHECK(storage.leads_to(fd) == "/dev/null");
  CHECK(storage.alive());
}
