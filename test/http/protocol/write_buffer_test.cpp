#include "http/protocol/write_buffer.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <sys/socket.h>
#include <unistd.h>

using namespace mistify::http;

namespace {

/// Two connected sockets: what is written to one is read from the other.
struct socket_pair {
  std::array<int, 2> fds{};
  socket_pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()) == 0); }
  ~socket_pair() {
    for (const int fd : fds)
      ::close(fd);
  }
  std::string read() {
    std::string all;
    std::array<char, 64 * 1024> bytes;
    for (ssize_t n = 0; (n = ::recv(fds[1], bytes.data(), bytes.size(), 0)) > 0;)
      all.append(bytes.data(), static_cast<std::size_t>(n));
    return all;
  }
};

/// Everything that came, however often the socket was full.
std::string sent_by(write_buffer& out, socket_pair& sockets) {
  client_socket to{sockets.fds[0]};
  bool moved = false;
  std::string all;
  for (auto result = write_buffer::result::blocked; result != write_buffer::result::sent; all += sockets.read()) {
    result = out.flush(to, moved);
    REQUIRE(result != write_buffer::result::failed);
  }
  CHECK(to.sent() == all.size());
  return all;
}

} // namespace

TEST_CASE("a head and a body of any size are sent one behind the other, answer after answer") {
  socket_pair sockets;
  write_buffer out;
  for (const std::size_t size : {0UL, 1UL, 2048UL, 2049UL, 5'000'000UL, 3UL}) {
    const std::string body(size, 'b');
    out.begin() += "head ";
    out.put(body);
    CHECK_FALSE(out.empty());
    CHECK(out.own() == 5 + size);
    CHECK(sent_by(out, sockets) == "head " + body);
    CHECK(out.empty());
    CHECK(out.own() == 0);
  }
}

TEST_CASE("a body that answers share is sent and not counted as one's own") {
  socket_pair sockets;
  write_buffer out;
  const auto body = std::make_shared<const std::string>(1'000'000, 'b');
  out.begin() += "head ";
  out.put(body);
  CHECK(out.own() == 5);
  CHECK(out.shared() == body);
  CHECK(sent_by(out, sockets) == "head " + *body);
  CHECK(body.use_count() == 1);
}

TEST_CASE("a head goes out without a body") {
  socket_pair sockets;
  write_buffer out;
  out.begin() += "head";
  CHECK(sent_by(out, sockets) == "head");
}
