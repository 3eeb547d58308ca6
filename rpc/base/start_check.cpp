#include "rpc/base/start_check.hpp"

#include "rpc/base/error.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <latch>
#include <string>
#include <sys/mman.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace mistify::rpc {

namespace {

using namespace std::chrono_literals;

/// Returns 0 if /proc cannot be read.
std::size_t tasks() {
  std::error_code error;
  const std::filesystem::directory_iterator all{"/proc/self/task", error};
  return error ? 0 : static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Waits until /proc shows at most `most` threads: a thread counts against the limits for a moment after it was
/// joined.
void await_tasks(std::size_t most) {
  for (int i = 0; i < 1000 && most > 0 && tasks() > most; ++i)
    std::this_thread::sleep_for(1ms);
}

/// Threads that only wait until this object is destroyed.
class idle_threads {
public:
  explicit idle_threads(std::size_t wanted) : before_{tasks()} {
    threads_.reserve(wanted);
    try {
      while (threads_.size() < wanted)
        threads_.emplace_back([this] { over_.wait(); });
    } catch (const std::system_error& e) {
      const auto made = threads_.size();
      end();
      throw failure{errc::unavailable, "the start needs " + std::to_string(wanted) + " threads, and only " +
                                         std::to_string(made) + " can be made: " + e.code().message()};
    }
  }
  ~idle_threads() { end(); }
  idle_threads(const idle_threads&) = delete;
  idle_threads& operator=(const idle_threads&) = delete;

private:
  void end() noexcept {
    if (threads_.empty())
      return;
    over_.count_down();
    for (auto& one : threads_)
      one.join();
    threads_.clear();
    await_tasks(before_);
  }

  const std::size_t before_;
  std::latch over_{1};
  std::vector<std::thread> threads_;
};

void require_memory(std::size_t bytes) {
  auto* const piece =
    ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (piece == MAP_FAILED)
    throw failure{errc::unavailable, "the start needs " + std::to_string(bytes >> 20U) +
                                       " MB of memory beside its threads: " + std::generic_category().message(errno)};
  ::munmap(piece, bytes);
}

const char* name_of_program = "";

/// Allocates nothing: memory may be exhausted.
void say(const char* text) noexcept {
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, text, std::strlen(text));
}

[[noreturn]] void end_quietly() noexcept {
  say(name_of_program);
  say(": ");
  try {
    if (const auto thrown = std::current_exception())
      std::rethrow_exception(thrown);
    say("cannot go on");
  } catch (const std::exception& e) {
    say(e.what());
  } catch (...) {
    say("cannot go on");
  }
  say("\n");
  std::_Exit(EXIT_FAILURE);
}

} // namespace

void require_resources(std::size_t threads, std::size_t bytes) {
  const idle_threads held{threads};
  require_memory(bytes);
}

quiet_end::quiet_end(const char* program) noexcept {
  name_of_program = program;
  before_ = std::set_terminate(end_quietly);
}

quiet_end::~quiet_end() {
  std::set_terminate(before_);
}

} // namespace mistify::rpc
