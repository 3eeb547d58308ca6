#include "rpc/net/socket_stream.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

using namespace mistify::rpc;
using namespace std::chrono_literals;

namespace {

/// A stream whose deadline has passed, and the other end of it.
class late_stream {
public:
  late_stream() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    stream.emplace(unique_fd{ends[0]});
    other = unique_fd{ends[1]};
  }

  void send(std::string_view bytes) { REQUIRE(::write(other.get(), bytes.data(), bytes.size()) > 0); }
  void be_late() { stream->begin(std::chrono::steady_clock::now() - 1s, 1000); }
  std::string read() { return std::string{stream->next(64)}; }

  std::optional<socket_stream> stream;
  unique_fd other;
};

using fault = socket_stream::fault;

} // namespace

TEST_CASE_METHOD(late_stream, "bytes that are there are read before the deadline is judged") {
  send("answer");
  be_late();
  CHECK(read() == "answer");
  CHECK(stream->why() == fault::none);
  CHECK(read().empty());
  CHECK(stream->why() == fault::too_late);
}

TEST_CASE_METHOD(late_stream, "an end that is there counts as one") {
  send("answer");
  other = unique_fd{};
  be_late();
  CHECK(read() == "answer");
  CHECK(read().empty());
  CHECK(stream->why() == fault::closed);
}

TEST_CASE_METHOD(late_stream, "bytes that come behind the deadline are too late") {
  send("in ");
  be_late();
  CHECK(read() == "in ");
  send("time");
  CHECK(read().empty());
  CHECK(stream->why() == fault::too_late);
}

TEST_CASE_METHOD(late_stream, "a stream whose time was extended reads on") {
  send("one");
  be_late();
  CHECK(read() == "one");
  stream->extend(std::chrono::steady_clock::now() + 10s);
  send("two");
  CHECK(read() == "two");
}

TEST_CASE_METHOD(late_stream, "nothing that is there is too late at once") {
  be_late();
  CHECK(read().empty());
  CHECK(stream->why() == fault::too_late);
}
