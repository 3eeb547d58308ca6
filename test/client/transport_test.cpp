#include "fake_agent.hpp"
#include "http/client/failure.hpp"
#include "http/client/transport.hpp"
#include "test/system/tool.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <httplib.h>
#include <thread>

namespace mistify::test {

using namespace std::chrono_literals;
using client::fault;

namespace {

client::settings at(const std::string& url, std::chrono::milliseconds timeout = 10s) {
  client::settings how;
  how.agent = client::parse_address(url);
  how.timeout = timeout;
  return how;
}

template <class F>
fault fault_of(F f) {
  try {
    f();
  } catch (const client::failure& e) {
    return e.code();
  }
  FAIL("nothing was thrown");
  return {};
}

/// The answer to one GET of a server that sends these bytes and closes.
client::reply answered(const std::string& bytes) {
  fake_agent agent{[&](const std::string&, std::size_t, int fd) { send_all(fd, bytes); }};
  return client::transport{at(agent.url())}.send({"GET", "/", {}, {}});
}

} // namespace

TEST_CASE("One connection serves several calls, and another one follows where the server closed it") {
  httplib::Server server;
  server.Get("/port", [](const httplib::Request& request, httplib::Response& out) {
    out.set_content(std::to_string(request.remote_port), "text/plain");
  });
  server.Get("/last", [](const httplib::Request& request, httplib::Response& out) {
    out.set_header("Connection", "close");
    out.set_content(std::to_string(request.remote_port), "text/plain");
  });
  const auto port = server.bind_to_any_port("127.0.0.1");
  std::thread serving{[&] { server.listen_after_bind(); }};
  {
    client::transport to{at("http://127.0.0.1:" + std::to_string(port))};
    const auto first = to.send({"GET", "/port", {}, {}}).body;
    CHECK(to.send({"GET", "/last", {}, {}}).body == first);
    CHECK(to.send({"GET", "/port", {}, {}}).body != first);
  }
  server.stop();
  serving.join();
}

TEST_CASE("A body in chunks is put together, and what follows it is left out") {
  const auto got = answered("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 400 Bad Request\r\nX-One: a \r\nTrailer: Grpc\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nGrpc: 3\r\n\r\n");
  CHECK(got.status == 400);
  CHECK(got.body == "abcde");
  CHECK(got.header("x-one") == "a");
}

TEST_CASE("A body without a length ends with the connection") {
  CHECK(answered("HTTP/1.1 200 OK\r\n\r\nabc").body == "abc");
  CHECK(fault_of([] { answered("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc"); }) == fault::lost);
  CHECK(fault_of([] { answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"); }) == fault::lost);
}

TEST_CASE("What is no HTTP is no agent") {
  CHECK(fault_of([] { answered("SSH-2.0-OpenSSH_9.2\r\n\r\n"); }) == fault::not_agent);
  CHECK(fault_of([] { answered("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'y')); }) == fault::not_agent);
  CHECK(fault_of([] { answered("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"); }) ==
        fault::not_agent);
  CHECK(fault_of([] { answered("HTTP/1.1 2"); }) == fault::lost);
}

TEST_CASE("A stream ends when it pauses for too long, and goes on for as long as it does not") {
  fake_agent agent{[](const std::string&, std::size_t, int fd) {
    send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 10; ++i) {
      std::this_thread::sleep_for(50ms);
      send_all(fd, "x");
    }
    std::string rest;
    receive_some(fd, rest); // until the client has had enough
  }};
  client::transport to{at(agent.url(), 300ms)};
  std::string got;
  const auto code = fault_of([&] {
    to.stream(
      {"GET", "/", {}, {}},
      [&](std::string_view piece) {
        got += piece;
        return true;
      },
      400ms);
  });
  CHECK(code == fault::lost);
  CHECK(got == "xxxxxxxxxx");
}

TEST_CASE("A request that is refused in its midst has the answer that says why") {
  fake_agent agent{[](const std::string&, std::size_t, int fd) {
    send_all(fd, answer_text(R"({"message":"too large"})", "413 Content Too Large"));
  }};
  CHECK(client::transport{at(agent.url())}.send({"POST", "/", std::string(1000, 'x'), {}}).status == 413);
}

TEST_CASE("The command loads OpenSSL and cpp-httplib for https only") {
  const auto loaded = run_tool("LD_TRACE_LOADED_OBJECTS=1 " MISTIFY_BINARY).output;
  CHECK(loaded.find("libc.so") != std::string::npos);
  CHECK(loaded.find("libssl") == std::string::npos);
  CHECK(loaded.find("httplib") == std::string::npos);
}

} // namespace mistify::test
