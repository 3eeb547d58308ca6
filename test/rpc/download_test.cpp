#include "rpc/client/client.hpp"
#include "test/rpc/scripted_agent.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

using namespace mistify;
using namespace std::chrono_literals;
using rpc::download_end;
using test::peer;
using test::scripted_agent;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n";

struct receiver {
  std::int64_t length = -2;
  std::string bytes;
  std::size_t largest = 0;
  rpc::download_sink sink{[this](std::int64_t n) { length = n; },
                          [this](std::string_view piece) {
                            bytes.append(piece);
                            largest = std::max(largest, piece.size());
                            return true;
                          }};
};

rpc::client client_of(const scripted_agent& agent) {
  rpc::endpoint to;
  to.port = agent.port();
  to.path = "/snapshots/download";
  return rpc::client{to};
}

download_end download(const std::string& answer, receiver& to, std::chrono::milliseconds stall = 5s) {
  scripted_agent agent{[&](peer& p) {
    p.request();
    p.send(answer);
  }};
  auto c = client_of(agent);
  return c.download(R"({"id":"x"})", stall, {}, to.sink);
}

} // namespace

TEST_CASE("a download posts the bare request and hands on the bytes") {
  std::string seen;
  scripted_agent agent{[&](peer& p) {
    seen = p.request();
    p.send(ok + "Content-Length: 5\r\n\r\nhello");
  }};
  auto c = client_of(agent);
  receiver to;
  CHECK(c.download(R"({"id":"x"})", 5s, {}, to.sink) == download_end::complete);
  CHECK(seen.starts_with("POST /snapshots/download HTTP/1.1\r\n"));
  CHECK(seen.ends_with("\r\n\r\n{\"id\":\"x\"}"));
  CHECK(to.length == 5);
  CHECK(to.bytes == "hello");
}

TEST_CASE("a download of unknown length is complete at its last chunk, or at the close where there are no chunks") {
  receiver chunked, closed, empty;
  CHECK(download(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", chunked) == download_end::complete);
  CHECK(chunked.length == -1);
  CHECK(chunked.bytes == "hello");
  CHECK(download(ok + "\r\nhello", closed) == download_end::complete);
  CHECK(closed.length == -1);
  CHECK(closed.bytes == "hello");
  CHECK(download(ok + "Content-Length: 0\r\n\r\n", empty) == download_end::complete);
  CHECK(empty.length == 0);
}

TEST_CASE("a download that ends before its length or its last chunk is broken, wherever it ends") {
  const std::string head =
    GENERATE(as<std::string>{}, "Content-Length: 10\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n");
  const std::string body = head[0] == 'C' ? "helloworld" : "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    CAPTURE(cut);
    receiver to;
    CHECK(download(ok + head + body.substr(0, cut), to) == download_end::broken);
  }
}

TEST_CASE("garbage where a chunk has to begin or end breaks the download") {
  const std::string body = GENERATE("zz\r\n", "5\r\nhelloXX\r\n", "5\r\nhello!\r\n0\r\n\r\n", "-1\r\n");
  receiver to;
  CHECK(download(ok + "Transfer-Encoding: chunked\r\n\r\n" + body, to) == download_end::broken);
}

TEST_CASE("a reset breaks a download without length") {
  scripted_agent agent{[&](peer& p) {
    p.request();
    p.send(ok + "\r\nhello");
    std::this_thread::sleep_for(20ms);
    p.reset();
  }};
  auto c = client_of(agent);
  receiver to;
  CHECK(c.download("{}", 5s, {}, to.sink) == download_end::broken);
}

TEST_CASE("a source that stalls breaks the download; one that merely drips does not") {
  const bool drips = GENERATE(false, true);
  scripted_agent agent{[&](peer& p) {
    p.request();
    p.send(ok + "Content-Length: 10\r\n\r\n");
    for (int i = 0; drips && i < 9; ++i) {
      p.send("x");
      std::this_thread::sleep_for(15ms);
    }
    if (drips)
      p.send("x");
    p.hang();
  }};
  auto c = client_of(agent);
  receiver to;
  CHECK(c.download("{}", 80ms, {}, to.sink) == (drips ? download_end::complete : download_end::broken));
}

TEST_CASE("a head that does not come in time fails the download") {
  scripted_agent agent{[&](peer& p) {
    p.request();
    while (p.send("H"))
      std::this_thread::sleep_for(5ms);
  }};
  auto c = client_of(agent);
  receiver to;
  try {
    c.download("{}", 60ms, {}, to.sink);
    FAIL("no exception");
  } catch (const rpc::failure& e) {
    CHECK(e.code() == rpc::errc::sub_agent_timeout);
    CHECK(e.message() == "no answer within 60ms");
  }
  CHECK(to.length == -2);
}

TEST_CASE("a refused download tells status and text, the text no longer than 64 KiB") {
  const auto refused = [](const std::string& answer) {
    receiver to;
    try {
      download(answer, to);
    } catch (const rpc::download_refused& e) {
      CHECK(to.length == -2);
      return std::to_string(e.status()) + ' ' + e.message();
    }
    return std::string{"not refused"};
  };
  CHECK(refused(test::http("not found\n", "404 Not Found")) == "404 not found");
  CHECK(refused(test::http("", "500 Oops")) == "500 HTTP status 500");
  CHECK(refused(test::http(std::string(1 << 20, 'x'), "500 Oops")) == "500 " + std::string(1 << 16, 'x'));
  CHECK(refused("HTTP/1.1 404 Not Found\r\nContent-Length: 50\r\n\r\nhalf") == "404 half");
}

TEST_CASE("a download answered by a status that refuses nothing is the sub-agent's fault") {
  for (const auto* status : {"100 X", "101 X", "199 X", "204 X", "206 X", "302 X", "304 X", "600 X", "999 X"}) {
    INFO(status);
    receiver to;
    try {
      download(test::http("abc", status), to);
      CHECK(false);
    } catch (const rpc::download_refused& e) {
      CHECK(e.status() == 0);
    } catch (const rpc::failure& e) {
      CHECK(e.code() == rpc::errc::sub_agent_failed);
    }
    CHECK(to.length == -2);
    CHECK(to.bytes.empty());
  }
}

TEST_CASE("a download whose head leaves open where it ends is not begun") {
  for (const auto* fields :
       {"Content-Length: 3\r\nContent-Length: 3\r\n", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 30\r\n", "Content-Length: x\r\n"}) {
    INFO(fields);
    receiver to;
    CHECK_THROWS_WITH(download(ok + fields + "\r\nabc", to), "answer leaves open where it ends");
    CHECK(to.length == -2);
  }
}

TEST_CASE("a download begins behind interim answers") {
  receiver to;
  CHECK(download("HTTP/1.1 103 Early Hints\r\n\r\n" + ok + "Content-Length: 5\r\n\r\nhello", to) ==
        download_end::complete);
  CHECK(to.bytes == "hello");
}

TEST_CASE("failures before the head are thrown") {
  rpc::endpoint to;
  to.port = test::free_port();
  rpc::client c{to};
  receiver r;
  CHECK_THROWS_WITH(c.download("{}", 5s, {}, r.sink), Catch::Matchers::StartsWith("connection refused"));
  CHECK_THROWS_WITH(download("HTTP/1.1 2", r), "connection dropped before a whole answer");
}

TEST_CASE("the receiver holds the source up, and no more is read than a buffer holds") {
  std::atomic<std::size_t> sent{0};
  const std::string piece(64 * 1024, 'x');
  scripted_agent agent{[&](peer& p) {
    p.request();
    p.send(ok + "\r\n");
    while (sent < (256u << 20) && p.send(piece))
      sent += piece.size();
  }};
  auto c = client_of(agent);
  receiver to;
  rpc::download_sink slow{to.sink.begin, [](std::string_view) {
                            std::this_thread::sleep_for(100ms);
                            return false;
                          }};
  CHECK(c.download("{}", 50ms, {}, slow) == download_end::stopped); // a slow receiver is no stall
  CHECK(sent < (32u << 20));                                        // what the kernel's buffers take
}

TEST_CASE("cancelling stops a download, before the head and after") {
  const bool began = GENERATE(false, true);
  const rpc::cancellation cancel;
  scripted_agent agent{[&](peer& p) {
    p.request();
    if (began)
      p.send(ok + "\r\nhello");
    else
      cancel.cancel();
    p.hang();
  }};
  auto c = client_of(agent);
  receiver to;
  const rpc::download_sink sink{to.sink.begin, [&](std::string_view) {
                                  cancel.cancel();
                                  return true;
                                }};
  if (began)
    CHECK(c.download("{}", 0s, cancel, sink) == download_end::stopped);
  else
    CHECK_THROWS_WITH(c.download("{}", 0s, cancel, sink), "cancelled");
}

TEST_CASE("a large download passes whole, in small pieces, and its connection is kept") {
  std::string data;
  while (data.size() < (8u << 20))
    data += std::to_string(data.size());
  scripted_agent agent{[&](peer& p) {
    while (!p.request().empty())
      p.send(ok + "Content-Length: " + std::to_string(data.size()) + "\r\n\r\n" + data);
  }};
  auto c = client_of(agent);
  for (int i = 0; i < 2; ++i) {
    receiver to;
    CHECK(c.download("{}", 5s, {}, to.sink) == download_end::complete);
    CHECK(to.bytes == data);
    CHECK(to.largest <= 256 * 1024);
  }
  CHECK(agent.connections() == 1);
}
