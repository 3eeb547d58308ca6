#include "rpc/base/folder_lock.hpp"

#include "rpc/base/error.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>

using namespace mistify;
using Catch::Contains;
using rpc::lock_folder;

namespace {

/// A process that locks a folder and starts a program, then waits.
class holder {
public:
  explicit holder(const std::filesystem::path& folder) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    id_ = ::fork();
    if (id_ == 0)
      hold(folder, ends[1]);
    REQUIRE(::read(ends[0], &program_, sizeof program_) == sizeof program_);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  holder(const holder&) = delete;
  holder& operator=(const holder&) = delete;
  ~holder() { ::kill(program_, SIGKILL); }

  void kill() const {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  bool program_runs() const { return ::kill(program_, 0) == 0; }

private:
  [[noreturn]] static void hold(const std::filesystem::path& folder, int tell) {
    const auto held = lock_folder(folder);
    char name[] = "sleep", time[] = "600";
    char* arguments[] = {name, time, nullptr};
    int ends[2];
    pid_t program = 0;
    if (::pipe2(ends, O_CLOEXEC) != 0 || ::posix_spawnp(&program, name, nullptr, nullptr, arguments, environ) != 0)
      ::_exit(1);
    ::close(ends[1]);
    // The spawn returns before the program's copies of descriptors are closed, the lower ones first: the pipe ends then.
    char none = 0;
    [[maybe_unused]] const auto end = ::read(ends[0], &none, 1);
    [[maybe_unused]] const auto told = ::write(tell, &program, sizeof program);
    for (;;)
      ::pause();
  }

  pid_t id_ = 0, program_ = 0;
};

} // namespace

TEST_CASE("a folder is locked once, and leaves nothing in it") {
  const test::temp_dir dir;
  {
    const auto held = lock_folder(dir.path());
    CHECK_THROWS_WITH(lock_folder(dir.path()), Contains(dir.path().string()) && Contains("in use by another process"));
    CHECK_THROWS_AS(lock_folder(dir.path() / "."), rpc::failure);
  }
  CHECK_NOTHROW(lock_folder(dir.path()));
  CHECK(std::filesystem::is_empty(dir.path()));
  CHECK_THROWS_AS(lock_folder(dir.path() / "none"), std::system_error);
}

TEST_CASE("the folder of a killed process is free at once, even while a program that it started runs on") {
  const test::temp_dir dir;
  const holder other{dir.path()};
  CHECK_THROWS_AS(lock_folder(dir.path()), rpc::failure);
  other.kill();
  CHECK(other.program_runs());
  CHECK_NOTHROW(lock_folder(dir.path()));
}
