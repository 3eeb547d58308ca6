#include "http/server/poller.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace mistify::http;

namespace {

/// A watched unix socket and its client.
struct watched_socket {
  std::array<int, 2> fds{};
  poller events;
  watch_key key;

  watched_socket() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()) == 0);
    key = {fds[0], 7};
    REQUIRE(events.add(key));
  }
  ~watched_socket() {
    for (const int fd : fds)
      ::close(fd);
  }

  /// What the socket has reported by now; 0 is nothing. The alarm ends the wait.
  std::uint32_t reported() {
    events.alarm_at_latest(now());
    for (std::uint32_t all = 0;;) {
      std::array<epoll_event, 2> came{};
      const auto n = events.wait(came);
      bool rang = false;
      for (std::size_t i = 0; i < n; ++i)
        if (events.is_alarm(poller::key_of(came[i])))
          rang = true;
        else
          all |= came[i].events;
      if (rang) {
        events.alarm_came();
        return all;
      }
    }
  }

  void answer_is_read() {
    constexpr std::string_view text = "an answer";
    std::array<char, 64> bytes{};
    REQUIRE(::send(fds[0], text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    REQUIRE(::recv(fds[1], bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(text.size()));
  }
};

} // namespace

TEST_CASE("a client that reads its answer wakes nobody, unless its socket is watched for room") {
  watched_socket s;
  CHECK(s.reported() == 0);
  s.answer_is_read();
  CHECK(s.reported() == 0);
  REQUIRE(::send(s.fds[1], "x", 1, 0) == 1);
  CHECK(s.reported() == EPOLLIN);

  s.events.watch_room(s.key);
  CHECK(s.reported() == (EPOLLIN | EPOLLOUT)); // also what is there since before
  s.answer_is_read();
  CHECK((s.reported() & EPOLLOUT) != 0);
}
