#include "daemon.hpp"
#include "sockets.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

using namespace mistify::test;
using Catch::Contains;

namespace {

/// The end of a service manager: what processes that are started while it lives tell it.
class notifications {
public:
  notifications() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = (dir_.path() / "notify").string();
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
      throw std::runtime_error{"no socket for notifications"};
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~notifications() { ::unsetenv("NOTIFY_SOCKET"); }
  notifications(const notifications&) = delete;
  notifications& operator=(const notifications&) = delete;

  /// The next one; "" where none comes.
  std::string next() const {
    pollfd readable{socket_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(std::chrono::milliseconds{patience}.count())) != 1)
      return "";
    std::string text(4096, '\0');
    const auto size = ::recv(socket_.get(), text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }

private:
  temp_dir dir_;
  descriptor socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

} // namespace

TEST_CASE("systemd is told when the agent is ready, and when it stops") {
  const notifications told;
  mistify::test::daemon agent{"{}"};
  CHECK_THAT(told.next(), Contains("READY=1"));
  CHECK(agent.stop() == 0);
  CHECK_THAT(told.next(), Contains("STOPPING=1"));
}

TEST_CASE("systemd is told when a sub-agent is ready") {
  const notifications told;
  const temp_dir dir;
  const process storage{{"--port", "0", "--directory", dir.path() / "store"}, dir.path() / "stderr", STORAGE_BINARY};
  CHECK_THAT(told.next(), Contains("READY=1"));
}
