#include "rpc/base/last_words.hpp"

#include "rpc/base/unique_fd.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace mistify::rpc;
using namespace std::chrono_literals;

namespace {

/// Two ends of something that holds little until it is read.
struct channel {
  unique_fd reader, writer;

  static channel pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 0);
    return {unique_fd{ends[0]}, unique_fd{ends[1]}};
  }
  static channel socket() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    return {unique_fd{ends[0]}, unique_fd{ends[1]}};
  }

  std::string read(std::size_t most) const {
    std::string text(most, '\0');
    const auto n = ::read(reader.get(), text.data(), most);
    text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return text;
  }
};

} // namespace

TEST_CASE("what a process says last is written where somebody reads it") {
  const auto to = GENERATE(false, true) ? channel::pipe() : channel::socket();
  CHECK(write_within(to.writer.get(), "mistify-agent: why\n", 0ms));
  CHECK(to.read(100) == "mistify-agent: why\n");
}

TEST_CASE("a long text is written as it is read") {
  auto to = GENERATE(false, true) ? channel::pipe() : channel::socket();
  const std::string text(1'000'000, 'x');
  std::size_t got = 0;
  std::thread reads{[&] {
    for (auto some = to.read(10'000); !some.empty(); some = to.read(10'000))
      got += some.size();
  }};
  CHECK(write_within(to.writer.get(), text, 20s));
  to.writer = unique_fd{}; // its end ends the reader
  reads.join();
  CHECK(got == text.size());
}

TEST_CASE("a reader that stalls does not keep what is to be said last") {
  const auto to = GENERATE(false, true) ? channel::pipe() : channel::socket();
  CHECK_FALSE(write_within(to.writer.get(), std::string(4'000'000, 'x'), 20ms));
  CHECK_FALSE(write_within(to.writer.get(), "why", 0ms));
}

TEST_CASE("where nobody can read it any more, nothing is waited for") {
  auto to = channel::socket();
  to.reader = unique_fd{};
  CHECK_FALSE(write_within(to.writer.get(), "why", 20s));
  CHECK_FALSE(write_within(-1, "why", 0ms));
}
