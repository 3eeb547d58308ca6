#include "http/process/profiler.hpp"

#include "rpc/base/error.hpp"

#ifdef MISTIFY_PROFILER

#include "rpc/base/unique_fd.hpp"

#include <gperftools/malloc_extension.h>
#include <gperftools/profiler.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

// The flag behind TCMALLOC_SAMPLE_PARAMETER, declared in no header. Its environment variable is read before `main`.
namespace FLAG__namespace_do_not_use_directly_use_DECLARE_int64_instead { // NOLINT(bugprone-reserved-identifier)
extern std::int64_t FLAGS_tcmalloc_sample_parameter;
}

namespace mistify::http::profiler {

namespace {

using rpc::errc;
using rpc::failure;

constexpr std::int64_t sample_every = 512 * 1024; // bytes; gperftools' recommendation

void wait(std::chrono::seconds length, const rpc::cancellation& stop) {
  std::mutex mutex;
  std::condition_variable wake;
  bool stopped = false;
  const auto guard = stop.on_cancel([&] {
    const std::lock_guard lock{mutex};
    stopped = true;
    wake.notify_all();
  });
  std::unique_lock lock{mutex};
  wake.wait_for(lock, length, [&] { return stopped; });
}

std::string read_all(int file) {
  std::string all;
  std::array<char, 64 * 1024> piece{};
  for (off_t at = 0;;) {
    const auto n = ::pread(file, piece.data(), piece.size(), at);
    if (n <= 0)
      return all;
    all.append(piece.data(), static_cast<std::size_t>(n));
    at += n;
  }
}

} // namespace

void start_sampling() {
  using namespace FLAG__namespace_do_not_use_directly_use_DECLARE_int64_instead;
  if (!std::getenv("TCMALLOC_SAMPLE_PARAMETER"))
    FLAGS_tcmalloc_sample_parameter = sample_every;
}

/// Uses a file in memory, because gperftools writes to a file by name and no disk may be writable.
std::string cpu(std::chrono::seconds length, const rpc::cancellation& stop) {
  static std::mutex one_at_a_time;
  const std::unique_lock mine{one_at_a_time, std::try_to_lock};
  if (!mine)
    throw failure{errc::conflict, "another profile is being taken"};
  const rpc::unique_fd file{::memfd_create("profile", MFD_CLOEXEC)};
  if (!file || ProfilerStart(("/proc/self/fd/" + std::to_string(file.get())).c_str()) == 0)
    throw failure{errc::unavailable, "the profiler cannot be started"};
  wait(length, stop);
  ProfilerStop();
  return read_all(file.get());
}

std::string heap() {
  std::string text;
  MallocExtension::instance()->GetHeapSample(&text);
  return text;
}

std::string growth() {
  std::string text;
  MallocExtension::instance()->GetHeapGrowthStacks(&text);
  return text;
}

} // namespace mistify::http::profiler

#else

namespace mistify::http::profiler {

namespace {

[[noreturn]] void refuse() {
  throw rpc::failure{rpc::errc::not_configured, "this agent was built without a profiler"};
}

} // namespace

void start_sampling() {}

std::string cpu(std::chrono::seconds, const rpc::cancellation&) {
  refuse();
}

std::string heap() {
  refuse();
}

std::string growth() {
  refuse();
}

} // namespace mistify::http::profiler

#endif
