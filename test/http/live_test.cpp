#include "raw_client.hpp"
#include "running_server.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <stdexcept>

using namespace mistify;
using namespace mistify::test;
using namespace std::chrono_literals;

namespace {

/// A body that says what the test gives it.
class spoken final : public http::streaming_body {
public:
  std::string next() override {
    const std::lock_guard lock{mutex_};
    if (breaks_)
      throw std::runtime_error{"no more"};
    return std::exchange(words_, {});
  }
  std::string idle() override { return ":\n"; }
  void on_more(std::function<void()> wake) override {
    const std::lock_guard lock{mutex_};
    wake_ = std::move(wake);
  }

  void say(const std::string& words) {
    std::unique_lock lock{mutex_};
    words_ += words;
    const auto wake = wake_;
    lock.unlock();
    if (wake)
      wake();
  }
  void break_off() {
    std::unique_lock lock{mutex_};
    breaks_ = true;
    const auto wake = wake_;
    lock.unlock();
    wake();
  }
  bool connected() const {
    const std::lock_guard lock{mutex_};
    return wake_ != nullptr;
  }

private:
  mutable std::mutex mutex_;
  std::string words_;
  bool breaks_ = false;
  std::function<void()> wake_;
};

http::handler speaks(std::shared_ptr<http::streaming_body> body) {
  return [body](http::request) -> http::task<http::answer> {
    http::answer a;
    a.content_type = "text/event-stream";
    a.body = http::growing{body};
    co_return a;
  };
}

/// Reads until the text has come; what was read.
std::string read_until(raw_client& c, const std::string& text) {
  std::string all;
  while (all.find(text) == all.npos) {
    const auto more = c.receive(1);
    if (more.empty())
      break;
    all += more;
  }
  return all;
}

/// A body that never runs dry, and counts what was taken of it.
class endless final : public http::streaming_body {
public:
  std::string next() override {
    taken += 1000;
    return std::string(1000, 'x');
  }
  std::string idle() override { return {}; }
  void on_more(std::function<void()>) override {}

  std::atomic<std::size_t> taken{0};
};

http::server_settings quick() {
  http::server_settings settings;
  settings.workers = 1;
  settings.heartbeat = 60'000ms;
  return settings;
}

} // namespace

TEST_CASE("a body without end is sent as it grows, and holds no worker in between") {
  auto body = std::make_shared<spoken>();
  running_server s{{{"/live", speaks(body)}}, quick()};
  raw_client c{s.port};
  c.send("GET /live HTTP/1.1\r\nX-Request-ID: r\r\nAccept-Encoding: gzip\r\n\r\n");
  const auto head = read_until(c, "\r\n\r\n");
  CHECK(head.find("Content-Type: text/event-stream\r\n") != head.npos);
  CHECK(head.find("Transfer-Encoding: chunked\r\n") != head.npos);
  CHECK(head.find("X-Request-ID: r\r\n") != head.npos);
  CHECK(head.find("Content-Encoding") == head.npos);
  for (const std::string words : {"one", "and two"}) {
    CHECK(raw_client{s.port}.get("/other").status == 200);
    body->say(words);
    CHECK(read_until(c, words + "\r\n").ends_with("\r\n" + words + "\r\n"));
  }
  CHECK(s.server.stats().live == 1);
}

TEST_CASE("many bodies without end are fed by one worker, whoever says something") {
  std::vector<std::shared_ptr<spoken>> bodies;
  running_server::routes table;
  for (int i = 0; i < 50; ++i)
    table["/" + std::to_string(i)] = speaks(bodies.emplace_back(std::make_shared<spoken>()));
  running_server s{table, quick()};
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<raw_client>(s.port));
    clients.back()->send("GET /" + std::to_string(i) + " HTTP/1.0\r\n\r\n");
    read_until(*clients.back(), "\r\n\r\n");
  }
  std::vector<std::thread> speakers;
  for (int t = 0; t < 4; ++t)
    speakers.emplace_back([&, t] {
      for (int i = t; i < 50; i += 4)
        for (int word = 0; word < 20; ++word)
          bodies[static_cast<std::size_t>(i)]->say("x");
    });
  for (auto& one : speakers)
    one.join();
  for (auto& c : clients)
    CHECK(read_until(*c, std::string(20, 'x')) == std::string(20, 'x'));
}

TEST_CASE("a client that hears nothing hears a heartbeat, and one that has gone is noticed") {
  auto settings = quick();
  settings.heartbeat = 30ms;
  auto body = std::make_shared<spoken>();
  running_server s{{{"/live", speaks(body)}}, settings};
  {
    raw_client c{s.port};
    c.send("GET /live HTTP/1.1\r\n\r\n");
    read_until(c, "\r\n\r\n");
    for (int i = 0; i < 3; ++i)
      CHECK(read_until(c, ":\n\r\n") == "2\r\n:\n\r\n");
  }
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
  CHECK(s.server.stats().live == 0);
}

TEST_CASE("a client that does not read is cut off, and no more is kept for it than the sockets hold") {
  auto settings = quick();
  settings.write_timeout = 200ms;
  auto body = std::make_shared<endless>();
  running_server s{{{"/live", speaks(body)}}, settings};
  raw_client c{s.port, 4096};
  c.send("GET /live HTTP/1.1\r\n\r\n");
  CHECK(eventually([&] { return s.server.stats().live == 1; }));
  CHECK(raw_client{s.port}.get("/other").status == 200); // nobody else waits for it
  CHECK(eventually([&] { return s.server.stats().live == 0; }));
  CHECK(body->taken < 2'000'000);
  bool reset = false;
  c.rest(&reset);
  CHECK(reset);
}

TEST_CASE("a client that reads all the time is not cut off") {
  auto settings = quick();
  settings.write_timeout = 100ms;
  auto body = std::make_shared<endless>();
  running_server s{{{"/live", speaks(body)}}, settings};
  raw_client c{s.port, 4096};
  c.send("GET /live HTTP/1.1\r\n\r\n");
  std::size_t got = 0;
  const auto until = std::chrono::steady_clock::now() + 500ms;
  while (std::chrono::steady_clock::now() < until)
    got += c.receive(1000).size();
  CHECK(got > 100'000);
  CHECK(s.server.stats().live == 1);
}

TEST_CASE("bodies without end are bounded in number, and a place comes back when a client goes") {
  auto settings = quick();
  settings.max_live = 2;
  auto body = std::make_shared<spoken>();
  running_server s{{{"/live", speaks(body)}}, settings};
  auto first = std::make_unique<raw_client>(s.port);
  raw_client second{s.port};
  for (auto* c : {first.get(), &second}) {
    c->send("GET /live HTTP/1.1\r\n\r\n");
    read_until(*c, "\r\n\r\n");
  }
  raw_client third{s.port};
  CHECK(third.get("/live").status == 503);
  CHECK(third.get("/other").status == 200);
  first.reset();
  CHECK(eventually([&] { return s.server.stats().live == 1; }));
  third.send("GET /live HTTP/1.1\r\n\r\n");
  CHECK(read_until(third, "\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a stop ends bodies without end after what they have to say, cleanly") {
  auto body = std::make_shared<spoken>();
  running_server s{{{"/live", speaks(body)}}, quick()};
  raw_client chunked{s.port};
  chunked.send("GET /live HTTP/1.1\r\n\r\n");
  CHECK(eventually([&] { return body->connected(); }));
  std::thread stopping{[&] { s.server.stop(5s); }};
  const auto a = chunked.answer();
  stopping.join();
  CHECK(a.status == 200);
  CHECK(a.whole);
  CHECK(chunked.closed());
}

TEST_CASE("one that cannot go on is broken off") {
  auto body = std::make_shared<spoken>();
  running_server s{{{"/live", speaks(body)}}, quick()};
  raw_client c{s.port};
  c.send("GET /live HTTP/1.1\r\n\r\n");
  read_until(c, "\r\n\r\n");
  body->break_off();
  bool reset = false;
  CHECK(c.rest(&reset).empty());
  CHECK(reset);
  CHECK(s.server.stats().live == 0);
}

TEST_CASE("a HEAD of one has an end") {
  auto body = std::make_shared<spoken>();
  running_server s{{{"/live", speaks(body)}}, quick()};
  raw_client c{s.port};
  c.send("HEAD /live HTTP/1.1\r\n\r\n");
  const auto head = read_until(c, "\r\n\r\n");
  CHECK(head.find("Content-Type: text/event-stream\r\n") != head.npos);
  CHECK(c.get("/other").body == "GET /other ");
  CHECK(s.server.stats().live == 0);
}

TEST_CASE("a body without end ends within a second once its reader may not have it any more") {
  auto body = std::make_shared<spoken>();
  std::atomic<bool> allowed{true};
  running_server s{{{"/live", [&](http::request) -> http::task<http::answer> {
                       http::answer a;
                       a.body = http::growing{body, [&] { return allowed.load(); }};
                       co_return a;
                     }}}};
  raw_client c{s.port};
  c.send("GET /live HTTP/1.1\r\n\r\n");
  CHECK(eventually([&] { return body->connected(); }));
  body->say("one");
  CHECK_THAT(read_until(c, "one"), Catch::EndsWith("one"));
  allowed = false;
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THAT(c.rest(), Catch::EndsWith("0\r\n\r\n"));
  CHECK(std::chrono::steady_clock::now() - begin < 1s);
  CHECK(s.server.stats().live == 0);
}
