#include "raw_client.hpp"
#include "running_server.hpp"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace mistify;
using namespace mistify::test;
using namespace std::chrono_literals;

namespace {

http::answer status(int code) {
  http::answer a;
  a.status = code;
  return a;
}

/// Sends "0123456789" `times` times, then ends with `end`.
http::download digits(std::int64_t length, int times, int end = 200) {
  return [=](http::download_channel& to) {
    to.begin(length);
    for (int i = 0; i < times; ++i)
      if (!to.write("0123456789"))
        break;
    return status(end);
  };
}

/// Sends nothing until the client has gone; tells that it has ended.
http::download silent(std::atomic<int>& ended) {
  return [&ended](http::download_channel& to) {
    to.begin(-1);
    to.write("first");
    std::mutex mutex;
    std::condition_variable wake;
    bool gone = false;
    {
      auto guard = to.client_gone().on_cancel([&] {
        std::lock_guard lock{mutex};
        gone = true;
        wake.notify_all();
      });
      std::unique_lock lock{mutex};
      wake.wait_for(lock, 5s, [&] { return gone; });
    }
    ended += gone ? 1 : 100;
    return status(500);
  };
}

} // namespace

TEST_CASE("a download may be relayed from a socket, of known and of unknown length") {
  const std::string all = [] {
    std::string bytes;
    for (int i = 0; bytes.size() < 3'000'000; ++i)
      bytes += std::to_string(i);
    return bytes;
  }();
  const auto size = static_cast<std::int64_t>(all.size());
  auto relayed = [&](std::int64_t length, std::size_t sent) {
    return downloads([&all, length, sent](http::download_channel& to) {
      std::array<int, 2> ends{};
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
      std::thread source{[&] {
        for (std::size_t at = 0; at < sent;)
          if (auto n = ::send(ends[1], all.data() + at, sent - at, MSG_NOSIGNAL); n > 0)
            at += static_cast<std::size_t>(n);
          else
            break;
        ::shutdown(ends[1], SHUT_RDWR);
      }};
      to.begin(length);
      std::optional<ssize_t> n = 1;
      while (n && *n != 0)
        n = to.relay(ends[0], all.size());
      ::close(ends[0]);
      source.join();
      ::close(ends[1]);
      return status(200);
    });
  };
  running_server s{{{"/known", relayed(size, all.size())},
                    {"/unknown", relayed(-1, all.size())},
                    {"/short", relayed(size, all.size() - 1)},
                    {"/long", relayed(size - 1, all.size())}}};
  for (const auto* path : {"/known", "/unknown"}) {
    raw_client c{s.port};
    const auto a = c.get(path);
    CHECK(a.whole);
    CHECK((a.body == all));
    CHECK(c.get("/x").body == "GET /x ");
  }
  const auto cut = raw_client{s.port}.get("/short");
  CHECK_FALSE(cut.whole);
  CHECK(raw_client{s.port}.get("/long").body.size() == all.size() - 1);
  raw_client leaver{s.port};
  leaver.send("GET /known HTTP/1.1\r\n\r\n");
  leaver.receive(1000);
  leaver.close();
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
}

TEST_CASE("a download of unknown length comes in chunks, and the connection goes on") {
  running_server s{{{"/d", downloads(digits(-1, 3))}}};
  raw_client c{s.port};
  for (int i = 0; i < 3; ++i) {
    auto a = c.get("/d", "Accept-Encoding: gzip\r\n");
    CHECK(a.status == 200);
    CHECK(a.whole);
    CHECK(a.body == "012345678901234567890123456789");
    CHECK(a.headers["content-type"] == "application/octet-stream");
    CHECK_FALSE(a.headers.contains("vary"));
  }
  CHECK(c.get("/a").status == 200);
  CHECK(s.server.stats().downloads == 0);
}

TEST_CASE("a download of known length comes with it") {
  running_server s{{{"/d", downloads(digits(20, 2))}}};
  raw_client c{s.port};
  for (int i = 0; i < 2; ++i) {
    auto a = c.get("/d");
    CHECK(a.headers["content-length"] == "20");
    CHECK(a.body == "01234567890123456789");
  }
}

TEST_CASE("downloads for HTTP/1.0 end with the connection") {
  running_server s{{{"/d", downloads(digits(-1, 2))}, {"/broken", downloads(digits(-1, 2, 500))}}};
  raw_client c{s.port};
  c.send("GET /d HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  bool reset = false;
  auto all = c.rest(&reset);
  CHECK(all.find("Transfer-Encoding") == all.npos);
  CHECK(all.find("Connection: close") != all.npos);
  CHECK(all.ends_with("\r\n\r\n01234567890123456789"));
  CHECK_FALSE(reset);
  raw_client b{s.port};
  b.send("GET /broken HTTP/1.0\r\n\r\n");
  b.rest(&reset);
  CHECK(reset);
}

TEST_CASE("HEAD for a download gives the head only") {
  running_server s{{{"/d", downloads(digits(20, 2))}}};
  raw_client c{s.port};
  c.send("HEAD /d HTTP/1.1\r\n\r\n");
  CHECK(c.answer(true).headers["content-length"] == "20");
  CHECK(c.get("/a").status == 200);
}

TEST_CASE("a download that ends before its time cannot be taken for a whole one") {
  running_server s{{{"/failed", downloads(digits(-1, 2, 500))},
                    {"/short", downloads(digits(30, 2))},
                    {"/long", downloads(digits(15, 2))},
                    {"/throws", downloads([](http::download_channel& to) -> http::answer {
                       to.begin(-1);
                       to.write("x");
                       throw std::runtime_error{"x"};
                     })}}};
  for (auto path : {"/failed", "/short", "/long", "/throws"}) {
    INFO(path);
    raw_client c{s.port};
    auto a = c.get(path);
    CHECK_FALSE(a.whole);
    bool reset = false;
    c.rest(&reset);
    CHECK(reset);
  }
}

TEST_CASE("a download that fails before it begins is an ordinary answer") {
  running_server s{{{"/refused", downloads([](auto&) { return running_server::error(404, "no image"); })},
                    {"/throws", downloads([](auto&) -> http::answer { throw std::runtime_error{"x"}; })}}};
  raw_client c{s.port};
  auto a = c.get("/refused");
  CHECK(a.status == 404);
  CHECK(a.body == "{\"code\":404,\"message\":\"no image\"}\n");
  CHECK(c.get("/throws").status == 500);
  CHECK(c.get("/a").status == 200);
}

TEST_CASE("a download ends when its client leaves, even while nothing is sent") {
  std::atomic<int> ended{0};
  running_server s{{{"/d", downloads(silent(ended))}}};
  {
    raw_client c{s.port};
    c.send("GET /d HTTP/1.1\r\n\r\n");
    CHECK_FALSE(c.receive(1).empty());
  }
  CHECK(eventually([&] { return ended == 1; }));
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
  CHECK(s.server.stats().downloads == 0);
}

TEST_CASE("a download to a client that stalls is given up, one to a slow reader is not") {
  http::server_settings settings;
  settings.write_timeout = 300ms;
  std::atomic<std::int64_t> written{0};
  running_server s{{{"/d", downloads([&](http::download_channel& to) {
                       const std::string piece(1 << 20, 'x');
                       to.begin(-1);
                       for (written = 0; written < 24; ++written)
                         if (!to.write(piece))
                           return status(500);
                       return status(200);
                     })}},
                   settings};
  raw_client stalled{s.port, 4096};
  stalled.send("GET /d HTTP/1.1\r\n\r\n");
  CHECK(eventually([&] { return s.server.stats().downloads == 1; }));
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
  CHECK(written < 24);

  raw_client slow{s.port};
  CHECK(slow.get("/d").body.size() == 24 << 20);
}

TEST_CASE("downloads have a bound") {
  http::server_settings settings;
  settings.max_downloads = 1;
  std::atomic<int> ended{0};
  running_server s{{{"/d", downloads(silent(ended))}}, settings};
  raw_client first{s.port}, second{s.port};
  first.send("GET /d HTTP/1.1\r\n\r\n");
  CHECK_FALSE(first.receive(1).empty());
  CHECK(second.get("/d").status == 503);
  CHECK(second.get("/a").status == 200);
  first.close();
  CHECK(eventually([&] { return ended == 1; }));
}

TEST_CASE("a download may follow a parked request") {
  parking lot;
  running_server s{{{"/d", [&](http::request) -> http::task<http::answer> {
                       co_await lot.wait();
                       http::answer a;
                       a.body = http::streamed{digits(-1, 1)};
                       co_return a;
                     }}}};
  raw_client c{s.port};
  for (int i = 0; i < 10; ++i) {
    c.send("GET /d HTTP/1.1\r\n\r\n");
    CHECK(eventually([&] { return lot.resume_all() == 1; }));
    CHECK(c.answer().body == "0123456789");
  }
}

TEST_CASE("stopping lets a download finish in its time, and breaks it off after that") {
  std::atomic<bool> go_on{false};
  auto slow = [&](http::download_channel& to) {
    to.begin(-1);
    to.write("begin ");
    eventually([&] { return go_on.load(); });
    to.write("end");
    return status(200);
  };
  std::atomic<int> ended{0};
  {
    running_server s{{{"/d", downloads(slow)}}};
    raw_client c{s.port};
    c.send("GET /d HTTP/1.1\r\n\r\n");
    CHECK(eventually([&] { return s.server.stats().downloads == 1; }));
    std::thread later{[&] {
      std::this_thread::sleep_for(100ms);
      go_on = true;
    }};
    s.server.stop(5s);
    auto a = c.answer();
    CHECK(a.whole);
    CHECK(a.body == "begin end");
    later.join();
  }
  running_server s{{{"/d", downloads(silent(ended))}}};
  raw_client c{s.port};
  c.send("GET /d HTTP/1.1\r\n\r\n");
  CHECK_FALSE(c.receive(1).empty());
  auto began = std::chrono::steady_clock::now();
  s.server.stop(50ms);
  CHECK(std::chrono::steady_clock::now() - began < 2s);
  CHECK(ended == 1);
  CHECK_FALSE(c.answer().whole);
}

TEST_CASE("a download ends within a second after its reader has lost its rights, read or not") {
  std::atomic<bool> allowed{true}, cancelled{false};
  const auto endless = [&](http::download_channel& to) {
    to.begin(-1);
    while (to.write(std::string(1000, 'x')) && !to.client_gone().cancelled())
      std::this_thread::sleep_for(10ms);
    cancelled = true;
    http::answer end;
    end.status = 502;
    return end;
  };
  running_server s{{{"/d", [&](http::request) -> http::task<http::answer> {
                       http::answer a;
                       a.body = http::streamed{endless, http::stream_kind::data, [&] { return allowed.load(); }};
                       co_return a;
                     }}}};
  raw_client reader{s.port};
  reader.send("GET /d HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_FALSE(reader.receive(10).empty());
  const auto begin = std::chrono::steady_clock::now();
  allowed = false;
  CHECK(eventually([&] { return cancelled.load(); }));
  CHECK(std::chrono::steady_clock::now() - begin < 3s); // 0.9 s on an idle machine
}
