#include "rpc/client/client.hpp"
#include "rpc/kit/server.hpp"
#include "rpc/net/unix_socket.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <grp.h>
#include <poll.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mistify;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

constexpr uid_t nobody = 65534;

struct fixture {
  std::string folder = (std::filesystem::temp_directory_path() / "socket-XXXXXX").string();
  std::string path;

  fixture() {
    REQUIRE(::mkdtemp(folder.data()));
    ::chmod(folder.c_str(), 0755);
    path = folder + "/agent.sock";
  }
  ~fixture() { std::filesystem::remove_all(folder); }

  rpc::endpoint to() const {
    rpc::endpoint where;
    where.socket = path;
    return where;
  }

  std::string mode(const std::string& of) const {
    struct stat status {};
    ::stat(of.c_str(), &status);
    std::ostringstream text;
    text << std::oct << (status.st_mode & 07777);
    return text.str();
  }
};

std::unique_ptr<rpc::server> echo_at(rpc::listen_at where) {
  auto server = std::make_unique<rpc::server>(where);
  server->handle_raw("Echo", [](std::string_view params) { return std::string{params}; });
  server->start();
  return server;
}

std::string call(const rpc::endpoint& to) {
  try {
    return rpc::client{to}.call("Echo", R"({"a":1})", 2s, {}).root().text();
  } catch (const rpc::failure& e) {
    return e.message();
  }
}

rpc::errc code_of_call(const rpc::endpoint& to) {
  try {
    rpc::client{to}.call("Echo", "{}", 2s, {});
    return rpc::errc::none;
  } catch (const rpc::failure& e) {
    return e.code();
  }
}

/// What that user gets to hear, tried in a process of its own: "answer" or "closed".
bool may_call(const std::string& path, uid_t user) {
  const auto child = ::fork();
  if (child == 0) {
    if (::setgid(user) != 0 || ::setuid(user) != 0)
      ::_exit(2);
    const auto made = rpc::unix_connect(path, rpc::deadline_after(2s), {});
    if (!made.fd)
      ::_exit(1);
    constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    ::send(made.fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    char byte = 0;
    rpc::wait_for(made.fd.get(), POLLIN, rpc::deadline_after(2s));
    ::_exit(::recv(made.fd.get(), &byte, 1, 0) == 1 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Runs `f` as that user, in no other group, in a process of its own. Returns what it returned.
template <class F>
bool as_user(uid_t user, F f) {
  const auto child = ::fork();
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0)
      ::_exit(2);
    ::_exit(f() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// The reason why a sub-agent cannot listen there with a socket of that group; empty if it can.
std::string refusal_at(const std::string& path, gid_t group) {
  try {
    rpc::make_socket_folder(path, group);
    const auto listening = rpc::unix_listen(path, 0660, group);
    return {};
  } catch (const rpc::failure& e) {
    return e.message();
  }
}

} // namespace

TEST_CASE("a group that the socket cannot be given to is named, and neither socket nor folder stays") {
  if (::geteuid() != 0) {
    WARN("needs root");
    return;
  }
  const fixture f;
  REQUIRE(::chown(f.folder.c_str(), nobody, nobody) == 0);
  CHECK(as_user(nobody, [&] {
    return refusal_at(f.path, 0) ==
             "cannot listen on " + f.path + ": it cannot be given to the group root: Operation not permitted" &&
           !std::filesystem::exists(f.path);
  }));
  CHECK(as_user(nobody, [&] {
    return refusal_at(f.folder + "/sub/agent.sock", 0).ends_with("to the group root: Operation not permitted") &&
           !std::filesystem::exists(f.folder + "/sub");
  }));
  CHECK(as_user(nobody, [&] { return refusal_at(f.path, nobody).empty(); }));
}

TEST_CASE("a sub-agent is called at its unix socket as at a port") {
  const fixture f;
  const auto server = echo_at(rpc::listen_at{f.path});
  CHECK(call(f.to()) == R"({"a":1})");
  CHECK(server->address() == f.path);
  CHECK(f.mode(f.path) == "660");
}

TEST_CASE("a missing folder of the socket is made, an existing one stays as it is") {
  fixture f;
  f.path = f.folder + "/sub/agent.sock";
  const auto server = echo_at(rpc::listen_at{f.path});
  CHECK(f.mode(f.folder + "/sub") == "750");
  CHECK(f.mode(f.folder) == "755");
  CHECK(call(f.to()) == R"({"a":1})");
}

TEST_CASE("a listener of another user is not believed") {
  const fixture f;
  const auto server = echo_at(rpc::listen_at{f.path});
  auto to = f.to();
  to.owners = {::geteuid() + 1};
  CHECK_THAT(call(to), Contains("the socket belongs to another user"));
  CHECK(code_of_call(to) == rpc::errc::sub_agent_unreachable);
  to.owners.push_back(::geteuid());
  CHECK(call(to) == R"({"a":1})");
}

TEST_CASE("only root, the own user and those that are allowed are answered") {
  if (::geteuid() != 0)
    return;
  const fixture f;
  {
    const auto server = echo_at(rpc::listen_at{f.path});
    ::chmod(f.path.c_str(), 0666); // whatever the mode says
    CHECK(may_call(f.path, 0));
    CHECK_FALSE(may_call(f.path, nobody));
  }
  rpc::listen_at where{f.path};
  where.allowed = {nobody};
  const auto server = echo_at(where);
  ::chmod(f.path.c_str(), 0666);
  CHECK(may_call(f.path, nobody));
  CHECK_FALSE(may_call(f.path, nobody - 1));
}

TEST_CASE("a socket that nobody listens on is replaced; one in use and any other file are not") {
  const fixture f;
  { const auto first = rpc::unix_listen(f.path, 0660, {}); }
  CHECK(std::filesystem::exists(f.path));
  const auto server = echo_at(rpc::listen_at{f.path});
  CHECK_THROWS_WITH(rpc::unix_listen(f.path, 0660, {}), Contains("another process listens there"));
  std::ofstream{f.folder + "/file"} << "x";
  CHECK_THROWS_WITH(rpc::unix_listen(f.folder + "/file", 0660, {}), Contains("no socket"));
  CHECK_THROWS_WITH(rpc::unix_listen("/" + std::string(200, 'x'), 0660, {}), Contains("File name too long"));
}

TEST_CASE("a sub-agent that is not there is a refused connection") {
  const fixture f;
  CHECK(call(f.to()) == "connection refused (unix:" + f.path + ")");
}
