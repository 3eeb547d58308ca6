#include "raw_client.hpp"
#include "running_server.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <vector>

using namespace mistify;
using namespace mistify::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t mb = 1024 * 1024;
constexpr auto get = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";

http::handler sends(std::size_t bytes) {
  return
    [bytes](http::request) -> http::task<http::answer> { co_return running_server::text(std::string(bytes, 'x')); };
}

http::handler shares(std::shared_ptr<const std::string> text) {
  return [text](http::request) -> http::task<http::answer> {
    auto a = running_server::text({});
    a.body = text;
    co_return a;
  };
}

/// Clients that ask for /big and do not read.
std::vector<std::unique_ptr<raw_client>> unreading(const running_server& s, int many) {
  std::vector<std::unique_ptr<raw_client>> all;
  for (int i = 0; i < many; ++i) {
    all.push_back(std::make_unique<raw_client>(s.port, 4096));
    all.back()->send(get);
  }
  return all;
}

} // namespace

TEST_CASE("a connection over the share of its address is closed, and one that ends makes room") {
  http::server_settings settings;
  settings.connections_of_one = 2;
  running_server s{{}, settings};
  raw_client first{s.port};
  auto second = std::make_unique<raw_client>(s.port);
  CHECK(first.get("/").status == 200);
  CHECK(second->get("/").status == 200);
  CHECK(raw_client{s.port}.closed());
  second->close();
  CHECK(eventually([&] { return raw_client{s.port}.get("/").status == 200; }));
}

TEST_CASE("answers that wait are counted, shared ones once, and no more once their clients have gone") {
  const auto list = std::make_shared<const std::string>(20 * mb, 'x');
  running_server s{{{"/big", shares(list)}}};
  auto clients = unreading(s, 5);
  CHECK(eventually([&] { return s.server.stats().waiting > 20 * mb; }));
  CHECK(s.server.stats().waiting < 21 * mb);
  clients.clear();
  CHECK(eventually([&] { return s.server.stats().waiting == 0; }));
}

TEST_CASE("a shared body comes whole, and without a body to HEAD") {
  const auto list = std::make_shared<const std::string>(3 * mb, 'x');
  running_server s{{{"/big", shares(list)}}};
  raw_client c{s.port};
  CHECK(c.get("/big").body == *list);
  c.send("HEAD /big HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.answer(true).headers["content-length"] == std::to_string(3 * mb));
  CHECK(c.get("/big").body.size() == 3 * mb);
}

TEST_CASE("where too much waits, clients that do not read lose their connections and others are served") {
  http::server_settings settings;
  settings.waiting_bytes = 50 * mb;
  running_server s{{{"/big", sends(20 * mb)}}, settings};
  const auto clients = unreading(s, 6);
  CHECK(eventually([&] { return s.server.stats().dropped == 4; }));
  CHECK(s.server.stats().waiting <= 50 * mb);
  CHECK(s.server.stats().open == 2);
  CHECK(raw_client{s.port}.get("/").status == 200);
}

TEST_CASE("a client that drips is closed, one that reads on is not") {
  http::server_settings settings;
  settings.least_rate = 1024;
  settings.rate_window = 300ms;
  running_server s{{{"/big", sends(20 * mb)}}, settings};
  raw_client drips{s.port, 4096};
  drips.send(get);
  bool ended = false;
  for (int i = 0; i < 500 && !ended; ++i, std::this_thread::sleep_for(10ms))
    ended = drips.receive(1).empty() || s.server.stats().open == 0;
  CHECK(ended);
  CHECK(s.server.stats().dropped == 1);
  CHECK(raw_client{s.port}.get("/big").body.size() == 20 * mb);
}

TEST_CASE("a download whose client drips is broken off") {
  http::server_settings settings;
  settings.rate_window = 300ms;
  std::atomic<bool> over{false};
  running_server s{{{"/big", downloads([&](http::download_channel& to) {
                       const std::string piece(64 * 1024, 'x');
                       while (to.write(piece)) {
                       }
                       over = true;
                       return http::answer{};
                     })}},
                   settings};
  raw_client drips{s.port, 4096};
  drips.send(get);
  for (int i = 0; i < 500 && !over; ++i, std::this_thread::sleep_for(10ms))
    drips.receive(1);
  CHECK(over);
}

TEST_CASE("pages of the agent's own do not wait behind downloads") {
  http::server_settings settings;
  settings.max_downloads = 1;
  std::atomic<bool> go_on{false};
  running_server s{{{"/download", downloads([&](http::download_channel& to) {
                       to.begin(-1);
                       to.write("first");
                       eventually([&] { return go_on.load(); });
                       return http::answer{};
                     })},
                    {"/page",
                     [](http::request) -> http::task<http::answer> {
                       http::answer a;
                       const auto write = [](http::download_channel& to) {
                         to.write("figures");
                         return http::answer{};
                       };
                       a.body = http::streamed{write, http::stream_kind::page};
                       co_return a;
                     }}},
                   settings};
  raw_client busy{s.port};
  busy.send("GET /download HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(eventually([&] { return s.server.stats().downloads == 1; }));
  CHECK(raw_client{s.port}.get("/download").status == 503);
  CHECK(raw_client{s.port}.get("/page").body == "figures");
  CHECK(s.server.stats().downloads == 1);
  go_on = true;
  CHECK(busy.answer().whole);
}

TEST_CASE("a large answer is compressed, and its size does not depend on the thread that brings it") {
  parking lot;
  const auto big = [](http::request) -> http::task<http::answer> {
    co_return running_server::text(std::string(mb, 'x'));
  };
  running_server s{{{"/big", big}, {"/parked", [&](http::request) -> http::task<http::answer> {
                                      co_await lot.wait();
                                      co_return running_server::text(std::string(mb, 'x'));
                                    }}}};
  raw_client now{s.port}, later{s.port};
  const auto at_once = now.get("/big", "Accept-Encoding: gzip\r\n");
  CHECK(at_once.headers.at("content-encoding") == "gzip");
  CHECK(at_once.body.size() < 10'000);
  later.send("GET /parked HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  REQUIRE(eventually([&] { return lot.size() == 1; }));
  lot.resume_all();
  CHECK(later.answer().body == at_once.body);
  CHECK(now.get("/big").body.size() == mb);
}
