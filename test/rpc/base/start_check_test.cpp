#include "rpc/base/start_check.hpp"

#include "rpc/base/error.hpp"

#include <catch2/catch.hpp>
#include <sys/resource.h>

using namespace mistify::rpc;

namespace {

/// As long as it lives, this process may not have more address space than that.
class memory_limit {
public:
  explicit memory_limit(rlim_t bytes) {
    getrlimit(RLIMIT_AS, &before_);
    const rlimit lower{bytes, before_.rlim_max};
    setrlimit(RLIMIT_AS, &lower);
  }
  ~memory_limit() { setrlimit(RLIMIT_AS, &before_); }
  memory_limit(const memory_limit&) = delete;
  memory_limit& operator=(const memory_limit&) = delete;

private:
  rlimit before_{};
};

std::string refusal(std::size_t threads, std::size_t bytes) {
  try {
    require_resources(threads, bytes);
  } catch (const failure& e) {
    CHECK(e.code() == errc::unavailable);
    return e.message();
  }
  return {};
}

} // namespace

TEST_CASE("threads and memory that are to be had are given back") {
  for (int i = 0; i < 20; ++i)
    CHECK(refusal(20, 16 << 20).empty());
}

TEST_CASE("lack of threads or of memory is one line that names it") {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // which map terabytes
  const memory_limit few{4096};
  const auto threads = refusal(10'000, 0);
  CHECK(threads.find("the start needs 10000 threads, and only ") == 0);
  CHECK(threads.find("can be made: Resource temporarily unavailable") != std::string::npos);
  CHECK(refusal(0, std::size_t{1} << 30).find("the start needs 1024 MB of memory") == 0);
#endif
}
