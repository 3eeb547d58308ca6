#include "rpc/base/start_check.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/last_words.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <latch>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <system_error>
#include <thread>
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

/// Threads that only wait until this object is destroyed. Their stacks are small: mapping and unmapping large ones would
/// take longer than all else here.
class idle_threads {
public:
  explicit idle_threads(std::size_t wanted) : before_{tasks()} {
    threads_.reserve(wanted);
    pthread_attr_t how;
    ::pthread_attr_init(&how);
    ::pthread_attr_setstacksize(&how, small_stack);
    int error = 0;
    for (pthread_t made{}; error == 0 && threads_.size() < wanted;)
      if ((error = ::pthread_create(&made, &how, wait, &over_)) == 0)
        threads_.push_back(made);
    ::pthread_attr_destroy(&how);
    if (error == 0)
      return;
    const auto made = threads_.size();
    end();
    throw failure{errc::unavailable, "the start needs " + std::to_string(wanted) + " threads, and only " +
                                       std::to_string(made) +
                                       " can be made: " + std::generic_category().message(error)};
  }
  ~idle_threads() { end(); }
  idle_threads(const idle_threads&) = delete;
  idle_threads& operator=(const idle_threads&) = delete;

private:
  static constexpr std::size_t small_stack = 64 * 1024; // sanitizers need more than the least

  static void* wait(void* until) {
    static_cast<std::latch*>(until)->wait();
    return nullptr;
  }

  void end() noexcept {
    if (threads_.empty())
      return;
    over_.count_down();
    for (const auto one : threads_)
      ::pthread_join(one, nullptr);
    threads_.clear();
    await_tasks(before_);
  }

  const std::size_t before_;
  std::latch over_{1};
  std::vector<pthread_t> threads_;
};

/// Address space that is reserved as long as this object lives.
class reserved_space {
public:
  /// Throws a failure with `what` if there is too little.
  reserved_space(std::size_t bytes, const std::string& what) : bytes_{bytes} {
    if (bytes_ == 0)
      return;
    begin_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (begin_ == MAP_FAILED)
      throw failure{errc::unavailable, what + ": " + std::generic_category().message(errno)};
  }
  ~reserved_space() {
    if (bytes_ > 0)
      ::munmap(begin_, bytes_);
  }
  reserved_space(const reserved_space&) = delete;
  reserved_space& operator=(const reserved_space&) = delete;

private:
  void* begin_ = nullptr;
  std::size_t bytes_;
};

std::size_t stack_size() noexcept {
  pthread_attr_t usual;
  std::size_t bytes = 0;
  ::pthread_attr_init(&usual);
  ::pthread_attr_getstacksize(&usual, &bytes);
  ::pthread_attr_destroy(&usual);
  return bytes;
}

const char* name_of_program = "";

/// Allocates nothing: memory may be exhausted.
[[noreturn]] void end_quietly() noexcept {
  try {
    if (const auto thrown = std::current_exception())
      std::rethrow_exception(thrown);
    last_words(name_of_program, "cannot go on");
  } catch (const std::exception& e) {
    last_words(name_of_program, e.what());
  } catch (...) {
    last_words(name_of_program, "cannot go on");
  }
  std::_Exit(EXIT_FAILURE);
}

} // namespace

void require_resources(std::size_t threads, std::size_t bytes) {
  const idle_threads held{threads};
  const auto count = std::to_string(threads);
  const reserved_space stacks{threads * stack_size(),
                              "the start needs " + count + " threads, and their stacks have no room"};
  const reserved_space rest{bytes,
                            "the start needs " + std::to_string(bytes >> 20U) + " MB of memory beside its threads"};
}

quiet_end::quiet_end(const char* program) noexcept {
  name_of_program = program;
  before_ = std::set_terminate(end_quietly);
}

quiet_end::~quiet_end() {
  std::set_terminate(before_);
}

} // namespace mistify::rpc
