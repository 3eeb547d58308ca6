#include "http/server/listener.hpp"

#include "rpc/base/error.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace mistify;
using http::parse_listen_address;

namespace {

std::string parsed(const std::string& address) {
  auto at = parse_listen_address(address);
  return at.host + "|" + at.port;
}

} // namespace

TEST_CASE("a listen address is a host, a port, or both") {
  CHECK(parsed(":8081") == "|8081");
  CHECK(parsed("8081") == "|8081");
  CHECK(parsed("host:1") == "host|1");
  CHECK(parsed("host") == "host|8080");
  CHECK(parsed("127.0.0.1") == "127.0.0.1|8080");
  CHECK(parsed("[::1]:0") == "::1|0");
  CHECK(parsed("[::1]") == "::1|8080");
  CHECK(parsed("::1") == "::1|8080");
  CHECK(parsed("") == "|8080");
}

TEST_CASE("listen addresses that are none are refused") {
  for (auto bad : {"host:", ":65536", ":x", "host:-1", "[::1", "[::1]x", "[::1]:", ":123456", "123456"}) {
    INFO(bad);
    CHECK_THROWS_AS(parse_listen_address(bad), rpc::failure);
  }
}

TEST_CASE("a port that is taken, and a host that is not here, are named in the refusal") {
  auto first = http::open_listener("127.0.0.1:0");
  const auto port = std::to_string(first.port);
  const auto address = std::string{"127.0.0.1:"}.append(port);
  CHECK_THROWS_WITH(http::open_listener(address), Catch::Contains(address) && Catch::Contains("in use"));
  CHECK_THROWS_WITH(http::open_listener(port), Catch::Contains("in use"));
  CHECK_THROWS_AS(http::open_listener("192.0.2.1:0"), rpc::failure);
  ::close(first.fd);
}

TEST_CASE("an address stays on this machine if every one of its sockets would") {
  for (const auto* here : {"127.0.0.1:0", "127.0.0.2:1", "[::1]:1", "::1", "localhost:1", "[::ffff:127.0.0.1]:1"}) {
    INFO(here);
    CHECK(http::stays_on_loopback(std::string{here}));
  }
  for (const auto* beyond :
       {":0", "8080", "0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1"}) {
    INFO(beyond);
    CHECK_FALSE(http::stays_on_loopback(std::string{beyond}));
  }
}

TEST_CASE("a socket that was handed over is judged by what it is bound to") {
  const auto here = http::open_listener("127.0.0.1:0"), beyond = http::open_listener(":0");
  CHECK(http::stays_on_loopback(here.fd));
  CHECK_FALSE(http::stays_on_loopback(beyond.fd));
  const int local = ::socket(AF_UNIX, SOCK_STREAM, 0), other = ::open("/dev/null", O_RDONLY);
  CHECK(http::stays_on_loopback(local));
  CHECK_FALSE(http::stays_on_loopback(other));
  for (const int fd : {here.fd, beyond.fd, local, other})
    ::close(fd);
}

TEST_CASE("only listening sockets are adopted") {
  auto socket = http::open_listener("localhost:0");
  CHECK(http::adopt_listener(socket.fd).port == socket.port);
  ::close(socket.fd);
  CHECK_THROWS_AS(http::adopt_listener(0), rpc::failure);
}

TEST_CASE("a socket is bound to an address if it takes what is sent there") {
  const auto one = http::open_listener("127.0.0.1:0");
  const auto port = ":" + std::to_string(one.port);
  CHECK(http::is_bound_to(one.fd, "127.0.0.1" + port));
  CHECK(http::is_bound_to(one.fd, "tcp:127.0.0.1" + port));
  CHECK_FALSE(http::is_bound_to(one.fd, "127.0.0.2" + port));
  CHECK_FALSE(http::is_bound_to(one.fd, port));
  CHECK_FALSE(http::is_bound_to(one.fd, "127.0.0.1:" + std::to_string(one.port + 1)));
  CHECK_FALSE(http::is_bound_to(one.fd, "unix:/run/a.sock"));
  ::close(one.fd);
  const auto all = http::open_listener(":0");
  CHECK(http::is_bound_to(all.fd, "127.0.0.1:" + std::to_string(all.port)));
  CHECK(http::is_bound_to(all.fd, ":" + std::to_string(all.port)));
  ::close(all.fd);
}
