#include "daemon.hpp"
#include "house.hpp"
#include "sockets.hpp"
#include "test/http/test_certificates.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
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

namespace {

/// A listening TCP socket of loopback, which processes that are started inherit under its high number.
struct passed_socket {
  std::uint16_t port = 0;
  descriptor fd;

  passed_socket() {
    const auto made = listen_on_loopback(port);
    fd = descriptor{::fcntl(made.get(), F_DUPFD, 20)};
  }
};

/// The words of a shell that becomes the agent, with this socket under the number and the name that systemd gives it.
std::vector<std::string> activated(const passed_socket& by, const std::string& name,
                                   const std::vector<std::string>& arguments) {
  std::vector<std::string> words{
    "-c", "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" \"$@\" 3<&" + std::to_string(by.fd.get()), AGENT_BINARY};
  if (!name.empty())
    words[1].insert(0, "export LISTEN_FDNAMES=" + name + "; ");
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

bool answers(std::uint16_t port) {
  try {
    return http_client{port}.get("/healthz").status == 200;
  } catch (const std::exception&) {
    return false;
  }
}

struct start {
  temp_dir dir;
  std::string log = (dir.path() / "stderr").string();

  std::string config(const std::string& members) const {
    return dir.write("agent.json", R"({"dbpath":)" + json_string((dir.path() / "a.db").string()) + "," + members + "}");
  }

  /// The one line with which the agent refuses to start with a socket of that name.
  std::string refusal(const std::string& name) const {
    const passed_socket given;
    process agent{activated(given, name, {"-c", config(R"("limits":{})")}), log, "/bin/bash"};
    CHECK(agent.wait() == 1);
    return read_text(log);
  }
};

} // namespace

TEST_CASE("a socket of systemd is served in place of the same address, beside all others") {
  const start s;
  const passed_socket given;
  const auto listed = free_port(), named = free_port();
  const auto at = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  const auto config = s.config(R"("http":{"listen":[")" + at(listed) + R"(",")" + at(given.port) + R"("]})");
  process agent{activated(given, "mistify-agent.socket", {"-a", at(named), "-c", config}), s.log, "/bin/bash"};
  for (const auto port : {given.port, listed, named})
    CHECK(eventually([&] { return answers(port); }));
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

TEST_CASE("the name of a socket of systemd says what it speaks, and is refused if it does not fit") {
  const start s;
  CHECK_THAT(s.refusal("other"), Contains("\"other\" has a name that says nothing"));
  CHECK_THAT(s.refusal("tls"), Contains("the config has no tls"));
  CHECK_THAT(s.refusal("unix"), Contains("is no unix socket"));
  test_ca ca{"ca"};
  const auto server = ca.issue(s.dir, "server");
  const passed_socket given;
  const auto config = s.config(R"("tls":{"cert":)" + json_string(server.cert) + R"(,"key":)" + json_string(server.key) +
                               R"(},"access":{"anonymous":"viewer"})");
  process agent{activated(given, "plain", {"-c", config}), s.log, "/bin/bash"};
  CHECK(eventually([&] { return answers(given.port); }));
}

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
