#include "rpc/client/client.hpp"
#include "test/rpc/scripted_agent.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

using namespace mistify;
using namespace std::chrono_literals;
using rpc::errc;
using test::http;
using test::peer;
using test::scripted_agent;

namespace {

const std::string fine = R"({"result":{"a":18446744073709551615},"error":null,"id":0})";

rpc::endpoint at(std::uint16_t port) {
  rpc::endpoint to;
  to.port = port;
  return to;
}

/// What a call comes to: its result, or "code: message".
std::string call(rpc::client& c, std::chrono::milliseconds timeout = 5s, const rpc::cancellation& cancel = {}) {
  try {
    return c.call("Svc.Method", R"({"x":1})", timeout, cancel).root().text();
  } catch (const rpc::failure& e) {
    return std::string{rpc::to_string(e.code())} + ": " + e.message();
  }
}

std::string call_once(std::string answer, std::chrono::milliseconds timeout = 5s) {
  scripted_agent agent{[&](peer& p) {
    p.request();
    p.send(answer);
  }};
  rpc::client c{at(agent.port())};
  return call(c, timeout);
}

} // namespace

TEST_CASE("the ids of the request and the job for which a call is made are headers, and change nothing of the body") {
  std::string seen;
  scripted_agent agent{[&](peer& p) {
    seen = p.request();
    p.send(http(fine));
  }};
  rpc::client c{at(agent.port())};
  c.call("Svc.Method", R"({"x":1})", 5s, {}, {"request-1", "job-1"});
  CHECK(seen.find("\r\nX-Request-ID: request-1\r\n") != seen.npos);
  CHECK(seen.find("\r\nX-Guest-Job-ID: job-1\r\n") != seen.npos);
  CHECK(seen.ends_with("\r\n\r\n"
                       R"({"method":"Svc.Method","params":[{"x":1}],"id":1})"));
}

TEST_CASE("a call is one POST of a JSON-RPC envelope, its result the answer's") {
  std::string seen;
  scripted_agent agent{[&](peer& p) {
    seen = p.request();
    p.send(http(fine));
  }};
  rpc::client c{at(agent.port())};
  CHECK(call(c) == R"({"a":18446744073709551615})");
  CHECK(seen.starts_with("POST /_mistify_RPC_ HTTP/1.1\r\n"));
  CHECK(seen.ends_with("\r\n\r\n"
                       R"({"method":"Svc.Method","params":[{"x":1}],"id":1})"));
  CHECK(seen.find("Content-Type: application/json\r\n") != seen.npos);
  CHECK(seen.find("Host: 127.0.0.1:" + std::to_string(agent.port())) != seen.npos);
  CHECK(seen.find("Accept-Encoding") == seen.npos);
  CHECK(seen.find("X-Request-ID") == seen.npos);
  CHECK(seen.find("X-Guest-Job-ID") == seen.npos);
  CHECK(seen.find("Connection: close") == seen.npos);
}

TEST_CASE("a path goes out with what may not stand in a target escaped") {
  std::string seen;
  scripted_agent agent{[&](peer& p) {
    seen = p.request();
    p.send(http(fine));
  }};
  auto to = at(agent.port());
  to.path = "/a b/\xc3\xbc?x=\"1\"&y=%20";
  rpc::client c{to};
  call(c);
  CHECK(seen.starts_with("POST /a%20b/%C3%BC?x=%221%22&y=%20 HTTP/1.1\r\n"));
}

TEST_CASE("calls use a kept connection again") {
  scripted_agent agent{[](peer& p) {
    while (!p.request().empty())
      p.send(http(fine));
  }};
  rpc::client c{at(agent.port())};
  for (int i = 0; i < 5; ++i)
    CHECK(call(c).starts_with("{"));
  CHECK(agent.connections() == 1);
}

TEST_CASE("a kept connection that was closed or spoiled meanwhile is not used") {
  const std::string behind = GENERATE("", "stray bytes");
  scripted_agent agent{[&](peer& p) {
    p.request();
    p.send(http(fine));
    p.send(behind);
  }};
  rpc::client c{at(agent.port())};
  CHECK(call(c).starts_with("{"));
  std::this_thread::sleep_for(20ms);
  CHECK(call(c).starts_with("{"));
  CHECK(agent.connections() == 2);
}

TEST_CASE("a connection that idled for longer than a second is not used again") {
  scripted_agent agent{[](peer& p) {
    while (!p.request().empty())
      p.send(http(fine));
  }};
  rpc::client c{at(agent.port())};
  CHECK(call(c).starts_with("{"));
  std::this_thread::sleep_for(1050ms);
  CHECK(call(c).starts_with("{"));
  CHECK(agent.connections() == 2);
}

TEST_CASE("an answer that says Connection: close, or HTTP/1.0, is the last on its connection") {
  const std::string head = GENERATE("HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0 200 OK\r\n");
  scripted_agent agent{[&](peer& p) {
    p.request();
    p.send(head + "\r\n" + fine);
  }};
  rpc::client c{at(agent.port())};
  CHECK(call(c).starts_with("{"));
  CHECK(call(c).starts_with("{"));
  CHECK(agent.connections() == 2);
}

TEST_CASE("chunked answers are read") {
  const auto chunk = [](const std::string& s) {
    char size[8];
    snprintf(size, sizeof size, "%zx", s.size());
    return size + ("\r\n" + s) + "\r\n";
  };
  const std::string whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(fine.substr(0, 5)) +
                            chunk(fine.substr(5)) + "0\r\n\r\n";
  CHECK(call_once(whole).starts_with("{"));
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    CHECK(call_once(whole.substr(0, cut)) == "sub_agent_unreachable: connection dropped before a whole answer");
  }
}

TEST_CASE("nobody listening is an error that names the address") {
  const auto port = test::free_port();
  rpc::client c{at(port)};
  CHECK(call(c) == "sub_agent_unreachable: connection refused (127.0.0.1:" + std::to_string(port) + ")");
}

TEST_CASE("hanging up after any number of bytes is an error, and nothing is sent twice") {
  const auto whole = http(fine);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    int requests = 0;
    {
      scripted_agent agent{[&](peer& p) {
        requests += p.request().empty() ? 0 : 1;
        p.send(std::string_view{whole}.substr(0, cut));
        if (cut % 2)
          p.reset();
      }};
      rpc::client c{at(agent.port())};
      CAPTURE(cut);
      CHECK(call(c) == "sub_agent_unreachable: connection dropped before a whole answer");
    }
    CHECK(requests == 1);
  }
}

TEST_CASE("hanging up on a kept connection is an error as well: the request is not repeated") {
  int requests = 0;
  {
    scripted_agent agent{[&](peer& p) {
      requests += p.request().empty() ? 0 : 1;
      p.send(http(fine));
      requests += p.request().empty() ? 0 : 1;
    }};
    rpc::client c{at(agent.port())};
    CHECK(call(c).starts_with("{"));
    CHECK(call(c) == "sub_agent_unreachable: connection dropped before a whole answer");
  }
  CHECK(requests == 2);
}

TEST_CASE("statuses from 400 on are errors with the answer's text") {
  CHECK(call_once(http("rpc: can't find method \"Svc.Method\"\n", "400 Bad Request")) ==
        "sub_agent_failed: rpc: can't find method \"Svc.Method\"");
  CHECK(call_once(http("", "503 Service Unavailable")) == "sub_agent_failed: HTTP status 503");
  CHECK(call_once("HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf a te") == "sub_agent_failed: half a te");
  CHECK(call_once("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n") ==
        "sub_agent_failed: unexpected HTTP status 302");
}

TEST_CASE("answers that are no answers are errors") {
  const auto is_error = Catch::Matchers::StartsWith("sub_agent_failed: ");
  CHECK_THAT(call_once("garbage\r\n\r\n"), is_error);
  CHECK_THAT(call_once("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), is_error);
  CHECK_THAT(call_once("HTTP/1.1 204 No Content\r\n\r\n"), is_error);
  CHECK_THAT(call_once(http("<html>")), is_error);
  CHECK_THAT(call_once(http(std::string(1 << 20, '['))), is_error);
  CHECK_THAT(call_once(http("{\"result\":{\"a\":\"\xff\"},\"error\":null,\"id\":0}")), is_error);
  CHECK(call_once(http(R"({"result":null,"error":"not found","id":0})")) == "sub_agent_not_found: not found");
  CHECK(call_once(http(R"({"result":null,"error":{"a":1},"id":0})")) == "sub_agent_failed: {\"a\":1}");
  CHECK_THAT(call_once(http(R"({"result":null,"error":null,"id":0})")), is_error);
}

TEST_CASE("an answer to another call is an error, and ends the connection") {
  scripted_agent agent{[](peer& p) {
    for (int id = 0; !p.request().empty(); id = 9)
      p.send(http(R"({"result":{"a":1},"error":null,"id":)" + std::to_string(id) + "}"));
  }};
  rpc::client c{at(agent.port())};
  CHECK(call(c) == R"({"a":1})");
  CHECK(call(c) == "sub_agent_failed: answer to another call: its id is 9, not 2");
  CHECK(call(c) == R"({"a":1})");
  CHECK(agent.connections() == 2);
}

TEST_CASE("an answer that leaves open where it ends is an error") {
  const std::string body = R"({"result":{"a":1},"error":null,"id":0})";
  const auto length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  const auto answer = [](const std::string& status, const std::string& fields, const std::string& text) {
    return call_once("HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + fields + "\r\n" + text);
  };
  const std::string open_end = "sub_agent_failed: answer leaves open where it ends";
  const auto chunked = std::string{"Transfer-Encoding: chunked\r\n"};
  CHECK(answer("200 OK", length + length, body) == open_end);
  CHECK(answer("200 OK", length + "content-length: 1\r\n", body) == open_end);
  CHECK(answer("200 OK", length + chunked, "1\r\n{\r\n0\r\n\r\n") == open_end);
  CHECK(answer("500 Oops", length + length, body) == open_end);
  CHECK(answer("200 OK", chunked + chunked, "0\r\n\r\n") == open_end);
  CHECK(answer("200 OK", "Transfer-Encoding: gzip\r\n", body) == open_end);
  for (const auto* wrong : {"-1", "+1", "1x", "0x10", "1, 1", "99999999999999999999"})
    CHECK(answer("200 OK", "Content-Length: " + std::string{wrong} + "\r\n", body) == open_end);
}

TEST_CASE("interim answers are passed over, and none of them is the answer") {
  const auto fine = http(R"({"result":{"a":1},"error":null,"id":0})");
  CHECK(call_once("HTTP/1.1 100 Continue\r\n\r\n" + fine) == R"({"a":1})");
  CHECK(call_once("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + fine) == R"({"a":1})");
  const auto as_answer = [](const char* status) {
    return call_once(http(R"({"result":{"a":1},"error":null,"id":0})", status));
  };
  CHECK(as_answer("100 X") == "sub_agent_unreachable: connection dropped before a whole answer");
  CHECK(as_answer("199 X") == "sub_agent_unreachable: connection dropped before a whole answer");
  CHECK(as_answer("101 Switching Protocols").starts_with("sub_agent_failed: "));
  std::string endless;
  for (int i = 0; i < 1000; ++i)
    endless += "HTTP/1.1 103 Early Hints\r\n\r\n";
  CHECK(call_once(endless).starts_with("sub_agent_failed: "));
}

TEST_CASE("a socket that is connected to itself is told from one that another socket accepted") {
  const rpc::unique_fd alone{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in own{};
  socklen_t size = sizeof own;
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(alone.get(), reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
  REQUIRE(::getsockname(alone.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
  REQUIRE(::connect(alone.get(), reinterpret_cast<sockaddr*>(&own), sizeof own) == 0); // nobody listens there
  CHECK(rpc::is_connected_to_itself(alone.get()));
  const auto listener = rpc::tcp_listen(0);
  const auto made = rpc::tcp_connect("127.0.0.1", rpc::port_of(listener), rpc::deadline_after(5s), {});
  REQUIRE(made.fd);
  CHECK_FALSE(rpc::is_connected_to_itself(made.fd.get()));
}

TEST_CASE("answers over the limit are errors, whether they tell their size or not") {
  const std::string body(1024 * 1024 + 1, 'x');
  const std::string head =
    GENERATE("Content-Length: 1048577\r\n\r\n", "\r\n", "Transfer-Encoding: chunked\r\n\r\n100001\r\n");
  scripted_agent large{[&](peer& p) {
    p.request();
    p.send("HTTP/1.1 200 OK\r\n" + head + body);
  }};
  auto to = at(large.port());
  to.max_answer = 1024 * 1024;
  rpc::client c{to};
  CHECK(call(c) == "sub_agent_failed: answer over 1 MiB");
}

TEST_CASE("a head without end is an error") {
  scripted_agent agent{[](peer& p) {
    p.request();
    p.send("HTTP/1.1 200 OK\r\n");
    while (p.send("X-Header: and so on and so on and so on and so on\r\n")) {
    }
  }};
  auto to = at(agent.port());
  to.max_answer = 1000;
  rpc::client c{to};
  CHECK(call(c) == "sub_agent_failed: answer over 1000 bytes");
}

TEST_CASE("no answer in time is an error, also from an agent that drips") {
  const std::string first = GENERATE("", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
  scripted_agent agent{[&](peer& p) {
    p.request();
    p.send(first);
    while (!first.empty() && p.send("x"))
      std::this_thread::sleep_for(5ms);
    p.hang();
  }};
  rpc::client c{at(agent.port())};
  const auto start = std::chrono::steady_clock::now();
  CHECK(call(c, 60ms) == "sub_agent_timeout: no answer within 60ms");
  CHECK(std::chrono::steady_clock::now() - start < 1s);
}

TEST_CASE("an agent whose backlog is full fails the call after the time for connecting") {
  const rpc::unique_fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  REQUIRE(::listen(listener.get(), 0) == 0);
  const auto port = rpc::port_of(listener);
  std::vector<rpc::unique_fd> fillers;
  for (int i = 0; i < 8; ++i)
    fillers.push_back(rpc::tcp_connect("127.0.0.1", port, rpc::deadline_after(10ms), {}).fd);
  auto to = at(port);
  to.connect_timeout = 50ms;
  rpc::client c{to};
  CHECK(call(c) == "sub_agent_unreachable: no connection within 50ms (127.0.0.1:" + std::to_string(port) + ")");
  CHECK(call(c, 20ms) == "sub_agent_timeout: no answer within 20ms");

  const rpc::cancellation cancel;
  std::thread canceller{[&] {
    std::this_thread::sleep_for(10ms);
    cancel.cancel();
  }};
  to.connect_timeout = 10s;
  rpc::client patient{to};
  CHECK(call(patient, 10s, cancel) == "cancelled: cancelled");
  canceller.join();
}

TEST_CASE("cancelling drops a call that waits") {
  const rpc::cancellation cancel;
  scripted_agent agent{[&](peer& p) {
    p.request();
    cancel.cancel();
    p.hang(); // returns when the call was dropped
  }};
  rpc::client c{at(agent.port())};
  CHECK(call(c, 0s, cancel) == "cancelled: cancelled");
}

TEST_CASE("cancelling beforehand sends nothing") {
  int connections = 0;
  {
    scripted_agent agent{[&](peer&) { ++connections; }};
    rpc::client c{at(agent.port())};
    const rpc::cancellation cancel;
    cancel.cancel();
    CHECK(call(c, 5s, cancel) == "cancelled: cancelled");
  }
  CHECK(connections == 0);
}

TEST_CASE("cancelling after the call leaves the kept connection alone") {
  scripted_agent agent{[](peer& p) {
    while (!p.request().empty())
      p.send(http(fine));
  }};
  rpc::client c{at(agent.port())};
  const rpc::cancellation cancel;
  CHECK(call(c, 5s, cancel).starts_with("{"));
  cancel.cancel();
  CHECK(call(c).starts_with("{"));
  CHECK(agent.connections() == 1);
}
