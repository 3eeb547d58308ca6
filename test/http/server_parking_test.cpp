#include "raw_client.hpp"
#include "running_server.hpp"

#include <atomic>
#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::test;
using namespace std::chrono_literals;

TEST_CASE("a parked request is answered from another thread and holds no worker") {
  http::server_settings settings;
  settings.workers = 1;
  parking lot;
  running_server s{{{"/park", parks_in(lot)}}, settings};
  std::vector<std::unique_ptr<raw_client>> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(std::make_unique<raw_client>(s.port));
    waiting.back()->send("GET /park HTTP/1.1\r\n\r\n");
  }
  CHECK(eventually([&] { return s.server.stats().parked == 50; }));
  CHECK(raw_client{s.port}.get("/a").status == 200);
  std::thread{[&] { lot.resume_all(); }}.join();
  for (auto& c : waiting) {
    CHECK(c->answer().body == "resumed");
    CHECK(c->get("/again").status == 200);
  }
  CHECK(s.server.stats().parked == 0);
}

TEST_CASE("requests pipelined behind a parked one are handled by workers, in order") {
  parking lot;
  std::atomic<bool> on_resumer{false};
  std::atomic<std::thread::id> resumer{};
  running_server s{{{"/park", parks_in(lot)}, {"/next", [&](http::request) -> http::task<http::answer> {
                                                 on_resumer =
                                                   on_resumer || std::this_thread::get_id() == resumer.load();
                                                 co_return running_server::text("next");
                                               }}}};
  raw_client c{s.port};
  for (int i = 0; i < 50; ++i) {
    c.send("GET /park HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\n\r\n");
    CHECK(eventually([&] { return lot.size() == 1; }));
    std::thread{[&] {
      resumer = std::this_thread::get_id();
      lot.resume_all();
    }}.join();
    CHECK(c.answer().body == "resumed");
    CHECK(c.answer().body == "next");
  }
  CHECK_FALSE(on_resumer);
}

TEST_CASE("bytes that come while a request is parked are read afterwards") {
  parking lot;
  running_server s{{{"/park", parks_in(lot)}}};
  raw_client c{s.port};
  c.send("GET /park HTTP/1.1\r\n\r\n");
  CHECK(eventually([&] { return lot.size() == 1; }));
  c.send("GET /b HTTP/1.1\r\n\r\n");
  std::this_thread::sleep_for(10ms);
  lot.resume_all();
  CHECK(c.answer().body == "resumed");
  CHECK(c.answer().body == "GET /b ");
}

TEST_CASE("handlers that resume at once on another thread are answered, whoever is first") {
  parking lot;
  std::atomic<bool> over{false};
  std::thread resumer{[&] {
    while (!over)
      lot.resume_all();
  }};
  running_server s{{{"/park", parks_in(lot)}}};
  raw_client c{s.port};
  bool all = true;
  for (int i = 0; i < 2000 && all; ++i)
    all = c.get("/park").body == "resumed";
  CHECK(all);
  over = true;
  resumer.join();
}

TEST_CASE("a large answer for a parked request is compressed") {
  parking lot;
  running_server s{{{"/park", [&](http::request) -> http::task<http::answer> {
                       co_await lot.wait();
                       co_return running_server::text(std::string(100'000, 'x'));
                     }}}};
  raw_client c{s.port};
  for (int i = 0; i < 20; ++i) {
    c.send("GET /park HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n");
    CHECK(eventually([&] { return lot.resume_all() == 1; }));
    auto a = c.answer();
    CHECK(a.headers["content-encoding"] == "gzip");
    CHECK(a.body.size() < 1000);
  }
}

TEST_CASE("the answer for a client that has gone is dropped") {
  parking lot;
  running_server s{{{"/park", parks_in(lot)}}};
  {
    raw_client c{s.port};
    c.send("GET /park HTTP/1.1\r\n\r\n");
    CHECK(eventually([&] { return lot.size() == 1; }));
  }
  std::this_thread::sleep_for(10ms);
  lot.resume_all();
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
  CHECK(raw_client{s.port}.get("/a").status == 200);
}

TEST_CASE("a client that has gone does not keep its connection until the answer") {
  http::server_settings settings;
  settings.half_closed_timeout = 50ms;
  parking lot;
  running_server s{{{"/park", parks_in(lot)}}, settings};
  {
    raw_client c{s.port};
    c.send("GET /park HTTP/1.1\r\n\r\n");
    CHECK(eventually([&] { return lot.size() == 1; }));
  }
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
  CHECK(lot.resume_all() == 1);
}

TEST_CASE("a client that sends no more and waits gets its answer") {
  http::server_settings settings;
  settings.half_closed_timeout = 10ms;
  parking lot;
  running_server s{{{"/park", parks_in(lot)}}, settings};
  for (bool at_once : {true, false}) {
    raw_client c{s.port};
    c.send("GET /park HTTP/1.1\r\n\r\n");
    if (at_once)
      c.send_no_more();
    CHECK(eventually([&] { return lot.size() == 1; }));
    c.send_no_more();
    CHECK(c.answer().status == 100);
    CHECK(lot.resume_all() == 1);
    CHECK(c.answer().body == "resumed");
  }
}

TEST_CASE("stopping waits for parked requests as long as it may") {
  parking lot;
  running_server s{{{"/park", parks_in(lot)}}};
  raw_client c{s.port};
  c.send("GET /park HTTP/1.1\r\n\r\n");
  CHECK(eventually([&] { return lot.size() == 1; }));
  std::thread later{[&] {
    std::this_thread::sleep_for(100ms);
    lot.resume_all();
  }};
  auto began = std::chrono::steady_clock::now();
  s.server.stop(10s);
  CHECK(std::chrono::steady_clock::now() - began < 3s);
  later.join();
  auto a = c.answer();
  CHECK(a.body == "resumed");
  CHECK(a.headers["connection"] == "close");
  CHECK(c.closed());
}

TEST_CASE("requests that are parked past the server's end are completed in vain") {
  parking lot;
  {
    running_server s{{{"/park", parks_in(lot)}}};
    raw_client c{s.port};
    c.send("GET /park HTTP/1.1\r\n\r\n");
    CHECK(eventually([&] { return lot.size() == 1; }));
    s.server.stop(50ms);
    CHECK(c.closed());
  }
  CHECK(lot.resume_all() == 1);
}
