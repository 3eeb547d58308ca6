#include "rpc/base/service_manager.hpp"
#include "rpc/base/unique_fd.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace mistify::rpc;

namespace {

/// A variable of the environment, as long as it lives.
class variable {
public:
  variable(const char* name, const std::string& value) : name_{name} { ::setenv(name, value.c_str(), 1); }
  ~variable() { ::unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

private:
  const char* name_;
};

std::string own_id() {
  return std::to_string(::getpid());
}

std::string other_id() {
  return std::to_string(::getppid());
}

/// A socket in the abstract namespace, where nothing is to be cleaned up.
class notify_socket {
public:
  notify_socket() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name_.begin() + 1, name_.end(), address.sun_path + 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  }

  const std::string& name() const { return name_; }

  std::string receive() const {
    std::array<char, 256> text{};
    const auto n = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
    return n < 0 ? std::string{} : std::string{text.data(), static_cast<std::size_t>(n)};
  }

private:
  std::string name_ = "@mistify-test-notify-" + own_id();
  unique_fd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

} // namespace

TEST_CASE("sockets of the service manager have their names, and are taken once") {
  const variable pid{"LISTEN_PID", own_id()}, count{"LISTEN_FDS", "3"}, names{"LISTEN_FDNAMES", "tls::unix"};
  CHECK(service_manager::inherited_sockets().size() == 3);
  const auto sockets = service_manager::take_inherited_sockets();
  REQUIRE(sockets.size() == 3);
  CHECK(sockets[0].fd == 3);
  CHECK(sockets[0].name == "tls");
  CHECK(sockets[1].name.empty());
  CHECK(sockets[2].fd == 5);
  CHECK(sockets[2].name == "unix");
  CHECK(service_manager::take_inherited_sockets().empty());
}

TEST_CASE("sockets without names are unknown, and those of another process are none") {
  const variable count{"LISTEN_FDS", "1"};
  CHECK(service_manager::inherited_sockets().empty());
  {
    const variable pid{"LISTEN_PID", own_id()};
    CHECK(service_manager::inherited_sockets().at(0).name == "unknown");
  }
  const variable pid{"LISTEN_PID", other_id()};
  CHECK(service_manager::inherited_sockets().empty());
}

TEST_CASE("a count of sockets that is none gives none") {
  const variable pid{"LISTEN_PID", own_id()};
  for (const auto* text : {"", "x", "-1", "1x", "0"}) {
    INFO(text);
    const variable count{"LISTEN_FDS", text};
    CHECK(service_manager::inherited_sockets().empty());
  }
}

TEST_CASE("the service manager is notified where it listens, and a wrong address is ignored") {
  service_manager::notify("READY=1");
  const notify_socket manager;
  for (const auto& wrong : {std::string{}, std::string{"@"}, std::string{"vsock:2:1"}, std::string(200, '/')}) {
    const variable address{"NOTIFY_SOCKET", wrong};
    service_manager::notify("READY=1");
  }
  CHECK(manager.receive().empty());
  const variable address{"NOTIFY_SOCKET", manager.name()};
  service_manager::notify("READY=1\nSTATUS=well");
  CHECK(manager.receive() == "READY=1\nSTATUS=well");
}

TEST_CASE("a service manager that reads nothing holds nobody up for ever") {
  const notify_socket manager;
  const variable address{"NOTIFY_SOCKET", manager.name()};
  bool waited = false;
  for (int i = 0; i < 10'000 && !waited; ++i) { // the kernel holds some
    const auto begin = std::chrono::steady_clock::now();
    service_manager::notify("WATCHDOG=1");
    waited = std::chrono::steady_clock::now() - begin > std::chrono::seconds{1};
  }
  CHECK(waited);
}

TEST_CASE("a watchdog has an interval if it watches this process") {
  CHECK_FALSE(service_manager::watchdog_interval());
  const variable interval{"WATCHDOG_USEC", "30000000"};
  CHECK(service_manager::watchdog_interval() == std::chrono::seconds{30});
  {
    const variable pid{"WATCHDOG_PID", own_id()};
    CHECK(service_manager::watchdog_interval());
  }
  {
    const variable pid{"WATCHDOG_PID", other_id()};
    CHECK_FALSE(service_manager::watchdog_interval());
  }
  const variable none{"WATCHDOG_USEC", "0"};
  CHECK_FALSE(service_manager::watchdog_interval());
}
