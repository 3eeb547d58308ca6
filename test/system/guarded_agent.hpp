#pragma once

#include "house.hpp"
#include "sockets.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mistify::test {

/// The whole answer of one request over a unix socket, by a process of that user.
inline std::string ask(const std::string& socket, const std::string& request, uid_t user) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::setgid(user) != 0 || ::setuid(user) != 0)
      ::_exit(1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    socket.copy(at.sun_path, sizeof at.sun_path - 1);
    std::string answer;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
      answer = "refused";
    else if (send_all(fd, request))
      while (receive_some(fd, answer)) {
      }
    for (std::string_view left = answer; !left.empty();) {
      const auto n = ::write(ends[1], left.data(), left.size());
      if (n <= 0)
        break;
      left.remove_prefix(static_cast<std::size_t>(n));
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string answer;
  char bytes[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], bytes, sizeof bytes)) > 0;)
    answer.append(bytes, static_cast<std::size_t>(n));
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return answer;
}

inline std::string get(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n" + more + "\r\n";
}

inline constexpr uid_t nobody = 65534;

/// An agent on a unix socket and on TCP; root is its admin, and who has no identity reads nothing.
struct guarded {
  temp_dir dir;
  std::string socket = (dir.path() / "agent.sock").string();
  house h;

  /// `change` may alter the config.
  explicit guarded(const std::function<void(config_file&)>& change = {})
    : h{[&](config_file& config) {
        ::chmod(dir.path().c_str(), 0755);
        config.top["http"] = R"({"listen":["unix:)" + socket + "\"]}";
        config.top["access"] = R"({"unix":[{"user":"root","role":"admin"}]})";
        if (change)
          change(config);
      }} {}

  std::string root(const std::string& request) const { return ask(socket, request, 0); }

  /// A new token with those members, made by root.
  std::string token(const std::string& members) const {
    const auto body = "{" + members + "}";
    const auto answer = root("POST /tokens HTTP/1.1\r\nHost: agent\r\nConnection: close\r\nContent-Length: " +
                             std::to_string(body.size()) + "\r\n\r\n" + body);
    CHECK_THAT(answer, Catch::Contains("201 Created"));
    return text_at(answer.substr(answer.find("\r\n\r\n") + 4), "token");
  }

  response with(const std::string& token, const std::string& method, const std::string& path,
                const std::string& body = "") const {
    return h.http.send(method, path, body, {"Authorization: Bearer " + token});
  }
};

/// A listening unix socket under that path, as another process would make one.
inline descriptor listen_at_path(const std::string& path) {
  descriptor fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  return fd;
}

} // namespace mistify::test
