#include "http/server/reader_pace.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using namespace mistify::http;
using namespace std::chrono_literals;

namespace {

constexpr pace_rule rule{30s, 1000, 30s};

} // namespace

TEST_CASE("a client that takes a byte now and then is too slow at the end of the window") {
  reader_pace pace{rule};
  pace.waits(0, 0);
  for (tick second = 1; second < 30; ++second)
    CHECK_FALSE(pace.too_slow(second * 1000, static_cast<std::uint64_t>(second) * 10));
  CHECK(pace.look_at() == 30'000);
  CHECK(pace.too_slow(30'000, 300));
}

TEST_CASE("a client that keeps the least rate goes on for ever") {
  reader_pace pace{rule};
  pace.waits(0, 0);
  for (tick second = 1; second < 300; ++second) {
    INFO(second);
    CHECK_FALSE(pace.too_slow(second * 1000, static_cast<std::uint64_t>(second) * 1000));
  }
}

TEST_CASE("each window is judged by itself: a fast beginning does not pay for a slow rest") {
  reader_pace pace{rule};
  pace.waits(0, 0);
  CHECK_FALSE(pace.too_slow(30'000, 10'000'000));
  pace.waits(59'000, 10'000'001);
  CHECK(pace.too_slow(60'000, 10'000'002));
}

TEST_CASE("a client that takes nothing at all is too slow when the patience is over, whatever the rate") {
  reader_pace pace{{2s, 0, 30s}};
  pace.waits(0, 100);
  CHECK_FALSE(pace.too_slow(1'999, 100));
  CHECK(pace.look_at() == 2'000);
  CHECK_FALSE(pace.too_slow(2'000, 101)); // one byte: begins anew
  CHECK(pace.look_at() == 4'000);
  CHECK(pace.too_slow(4'000, 101));
}

TEST_CASE("time in which nothing waits does not count, but a new answer does not wipe the old one's slowness out") {
  reader_pace pace{rule};
  pace.waits(0, 0);
  pace.rests(20'000);
  pace.waits(1'020'000, 0); // much later: 20 s of the window are used up
  CHECK_FALSE(pace.too_slow(1'029'999, 1));
  CHECK(pace.too_slow(1'030'000, 2));
}

TEST_CASE("what a socket holds for a reader that does not read is not acknowledged") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  CHECK(unacknowledged_bytes(ends[0]) == 0);
  REQUIRE(::send(ends[0], std::string(10'000, 'x').data(), 10'000, 0) == 10'000);
  CHECK(unacknowledged_bytes(ends[0]) >= 10'000);
  std::array<char, 10'000> read{};
  REQUIRE(::recv(ends[1], read.data(), read.size(), MSG_WAITALL) == 10'000);
  CHECK(unacknowledged_bytes(ends[0]) == 0);
  for (const int end : ends)
    ::close(end);
}

TEST_CASE("a silent connection is asked whether its client is still there, within the time that it has") {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(fd >= 0);
  expect_answers(fd, std::chrono::seconds{20});
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, level, name, &value, &size);
    return value;
  };
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) == 5);
  CHECK(option(IPPROTO_TCP, TCP_KEEPINTVL) == 5);
  CHECK(option(IPPROTO_TCP, TCP_KEEPCNT) == 3);
  CHECK(option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 20'000);
  ::close(fd);
}

TEST_CASE("a client is judged anew after the process was stopped") {
  reader_pace pace{rule};
  pace.waits(0, 0);
  CHECK_FALSE(pace.too_slow(600'000, 0));
  CHECK(pace.look_at() == 630'000);
  CHECK(pace.too_slow(630'000, 0));
}
