#include "raw_client.hpp"
#include "running_server.hpp"

#include "http/server/listener.hpp"
#include "rpc/base/error.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <latch>
#include <list>
#include <mutex>
#include <set>
#include <thread>

using namespace mistify;
using namespace mistify::test;
using namespace std::chrono_literals;

TEST_CASE("requests on one connection are answered one after the other") {
  running_server s{{}};
  raw_client c{s.port};
  for (int i = 0; i < 3; ++i) {
    auto a = c.get("/a");
    CHECK(a.status == 200);
    CHECK(a.body == "GET /a ");
    CHECK(a.headers["content-type"] == "text/plain");
  }
  CHECK(s.server.stats().open == 1);
  CHECK(s.server.stats().requests == 3);
}

TEST_CASE("pipelined requests are answered in order, however the bytes are split") {
  running_server s{{}};
  const std::string requests =
    "GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz"
    "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nuv\r\n0\r\n\r\nGET /d HTTP/1.1\r\n\r\n";
  auto check = [](raw_client& c) {
    for (auto body : {"GET /a ", "POST /b xyz", "PUT /c uv", "GET /d "})
      CHECK(c.answer().body == body);
  };
  raw_client all{s.port};
  all.send(requests);
  check(all);
  raw_client bytes{s.port};
  for (char c : requests)
    bytes.send({&c, 1});
  check(bytes);
  for (std::size_t i = 1; i < requests.size(); ++i) {
    all.send(requests.substr(0, i));
    std::this_thread::sleep_for(100us);
    all.send(requests.substr(i));
    check(all);
  }
}

TEST_CASE("a thousand pipelined requests are all answered") {
  running_server s{{}};
  raw_client c{s.port};
  std::string requests;
  for (int i = 0; i < 1000; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\n\r\n";
  c.send(requests);
  for (int i = 0; i < 1000; ++i)
    REQUIRE(c.answer().body == "GET /" + std::to_string(i) + " ");
}

TEST_CASE("connections close when they are asked to") {
  running_server s{{}};
  raw_client c{s.port};
  auto a = c.get("/", "Connection: keep-alive, Close\r\n");
  CHECK(a.status == 200);
  CHECK(a.headers["connection"] == "close");
  CHECK(c.closed());

  raw_client old{s.port};
  old.send("GET / HTTP/1.0\r\n\r\n");
  CHECK(old.answer().headers["connection"] == "close");
  CHECK(old.closed());

  raw_client kept{s.port};
  for (int i = 0; i < 2; ++i) {
    kept.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    CHECK(kept.answer().headers["connection"] == "keep-alive");
  }
}

TEST_CASE("a client that sends no more is still answered") {
  running_server s{{}};
  raw_client c{s.port};
  c.send("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
  c.send_no_more();
  CHECK(c.answer().body == "GET /a ");
  CHECK(c.answer().body == "GET /b ");
  CHECK(c.closed());
}

TEST_CASE("HEAD is answered as GET without the body") {
  running_server s{{}};
  raw_client c{s.port};
  c.send("HEAD /a HTTP/1.1\r\n\r\n");
  auto a = c.answer(true);
  CHECK(a.status == 200);
  CHECK(a.headers["content-length"] == "7");
  CHECK(c.get("/b").body == "GET /b ");
}

TEST_CASE("100 Continue is sent once to those who wait for it") {
  running_server s{{}};
  raw_client c{s.port};
  c.send("POST /a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(c.answer().status == 100);
  c.send("xy");
  CHECK(c.answer().body == "POST /a xy");
}

TEST_CASE("a route may allow less of a body than the others") {
  http::server_settings settings;
  settings.max_body = 100;
  settings.body_bound = [](const auto& head) { return head.target == "/small" ? std::size_t{10} : SIZE_MAX; };
  running_server s{{}, settings};
  const auto status_of = [&](const std::string& path, const std::string& framed) {
    raw_client c{s.port};
    c.send("PUT " + path + " HTTP/1.1\r\n" + framed);
    return c.answer().status;
  };
  const std::string counted = "Content-Length: ", chunked = "Transfer-Encoding: chunked\r\n\r\n", end = "\r\n0\r\n\r\n";
  CHECK(status_of("/small", counted + "10\r\n\r\n0123456789") == 200);
  CHECK(status_of("/small", counted + "11\r\n\r\n") == 413); // before the body comes
  CHECK(status_of("/small", chunked + "a\r\n0123456789" + end) == 200);
  CHECK(status_of("/small", chunked + "a\r\n0123456789\r\n1\r\n") == 413);
  CHECK(status_of("/other", counted + "100\r\n\r\n" + std::string(100, 'x')) == 200);
  CHECK(status_of("/other", counted + "101\r\n\r\n") == 413);
}

TEST_CASE("what is over a limit is refused, and nothing behind it is read as a request") {
  http::server_settings settings;
  settings.max_body = 100;
  settings.max_head = 1000;
  running_server s{{}, settings};
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\n\r\n";
  auto refused = [&](const std::string& bytes, int status) {
    INFO(bytes.substr(0, 100));
    raw_client c{s.port};
    c.send(bytes + smuggled + smuggled);
    auto a = c.answer();
    CHECK(a.status == status);
    CHECK(a.headers["connection"] == "close");
    CHECK(a.headers["content-type"] == "application/json");
    CHECK(a.body.starts_with("{\"code\":" + std::to_string(status)));
    CHECK(c.closed());
  };
  refused("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413);
  refused("POST / HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n" + std::string(5'000'000, 'x'), 413);
  refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x'), 413);
  refused("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
  refused("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nabc", 400);
  refused("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400);
  refused("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415);
  refused("POST / HTTP/1.1\r\nExpect: x\r\n\r\n", 417);
  refused("GET / HTTP/1.1\r\nX: " + std::string(1000, 'y') + "\r\n\r\n", 431);
  refused("GET /%zz HTTP/1.1\r\n\r\n", 400);
  refused("GET /\n\n", 400);
  CHECK(s.server.stats().requests == 0);
  CHECK(s.server.stats().refused == 11);
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
}

TEST_CASE("clients that come and go at once are all counted out again") {
  running_server s{{}};
  std::vector<std::thread> crowd;
  for (int t = 0; t < 4; ++t)
    crowd.emplace_back([&] {
      for (int i = 0; i < 1000; ++i)
        raw_client{s.port}.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    });
  for (auto& c : crowd)
    c.join();
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
}

TEST_CASE("a request that drips in is cut off, idle connections later and silently") {
  http::server_settings settings;
  settings.request_timeout = 150ms;
  settings.idle_timeout = 400ms;
  running_server s{{}, settings};
  raw_client idle{s.port}, slow{s.port}, used{s.port}, body{s.port};
  CHECK(used.get("/").status == 200);
  body.send("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n");
  auto began = std::chrono::steady_clock::now();
  bool taken = true;
  for (int i = 0; i < 100 && taken && slow.silent_for(10ms); ++i)
    taken = slow.send("G");
  CHECK(slow.answer().status == 408);
  CHECK(body.answer().status == 408);
  CHECK(std::chrono::steady_clock::now() - began < 350ms);
  CHECK(slow.closed());
  slow.close();
  body.close();
  CHECK(used.silent_for(1ms));
  CHECK(idle.closed());
  CHECK(used.closed());
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
}

TEST_CASE("a thousand idle connections do not keep a new request waiting") {
  running_server s{{}};
  std::vector<std::unique_ptr<raw_client>> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(std::make_unique<raw_client>(s.port));
    if (i % 3 == 0)
      idle.back()->send("GET /half HTTP/1.1\r\nX: ");
  }
  auto began = std::chrono::steady_clock::now();
  CHECK(raw_client{s.port}.get("/a").status == 200);
  CHECK(std::chrono::steady_clock::now() - began < 200ms);
  s.server.stop(0ms);
  for (auto& c : idle)
    CHECK(c->closed());
}

TEST_CASE("one connection too many is answered 503") {
  http::server_settings settings;
  settings.max_connections = 2;
  running_server s{{}, settings};
  raw_client a{s.port}, b{s.port};
  CHECK(a.get("/").status == 200);
  CHECK(b.get("/").status == 200);
  raw_client c{s.port};
  auto refused = c.get("/");
  CHECK(refused.status == 503);
  CHECK(refused.body.starts_with("{\"code\":503"));
  CHECK(c.closed());
  c.close();
  a.close();
  CHECK(eventually([&] { return s.server.stats().open == 1; }));
  CHECK(raw_client{s.port}.get("/").status == 200);
}

TEST_CASE("hundreds of connections too many are answered 503, every one") {
  http::server_settings settings;
  settings.max_connections = 1;
  running_server s{{}, settings};
  const raw_client kept{s.port};
  CHECK(eventually([&] { return s.server.stats().open == 1; }));
  std::vector<std::unique_ptr<raw_client>> crowd;
  for (int i = 0; i < 300; ++i)
    crowd.push_back(std::make_unique<raw_client>(s.port));
  for (auto& c : crowd)
    CHECK(c->answer().status == 503);
  CHECK(s.server.stats().refused == 300);
}

TEST_CASE("all request bodies together have a bound") {
  http::server_settings settings;
  settings.max_buffered = 50'000;
  parking lot;
  running_server s{{{"/park", parks_in(lot)}}, settings};
  auto post = [](raw_client& c) {
    c.send("POST /park HTTP/1.1\r\nContent-Length: 40000\r\n\r\n" + std::string(40'000, 'x'));
  };
  raw_client first{s.port}, second{s.port};
  post(first);
  CHECK(eventually([&] { return lot.size() == 1; }));
  post(second);
  CHECK(second.answer().status == 503);
  second.close();
  lot.resume_all();
  CHECK(first.answer().status == 200);
  CHECK(eventually([&] { return s.server.stats().buffered == 0; }));
  post(first);
  CHECK(eventually([&] { return lot.size() == 1; }));
  lot.resume_all();
  CHECK(first.answer().status == 200);
}

TEST_CASE("exceptions of handlers become answers") {
  auto fails = [](http::request) -> http::task<http::answer> {
    throw std::runtime_error{"late"};
    co_return {};
  };
  running_server s{{{"/task", fails},
                    {"/plain", [](http::request) -> http::task<http::answer> { throw std::runtime_error{"early"}; }}}};
  raw_client c{s.port};
  CHECK(c.get("/task").body == "{\"code\":500,\"message\":\"late\"}\n");
  auto a = c.get("/plain");
  CHECK(a.status == 500);
  CHECK(a.body == "{\"code\":500,\"message\":\"early\"}\n");
  CHECK(c.get("/a").status == 200);
}

TEST_CASE("answers of JSON and text are compressed for those who ask") {
  running_server s{{}};
  raw_client c{s.port};
  auto plain = c.get("/a");
  CHECK(plain.headers["vary"] == "Accept-Encoding");
  CHECK_FALSE(plain.headers.contains("content-encoding"));
  auto packed = c.get("/a", "Accept-Encoding: br, gzip\r\n");
  CHECK(packed.headers["vary"] == "Accept-Encoding");
  CHECK(packed.headers["content-encoding"] == "gzip");
  CHECK(packed.body.starts_with("\x1f\x8b"));
  CHECK_FALSE(c.get("/a", "Accept-Encoding: gzip;q=0\r\n").headers.contains("content-encoding"));
}

TEST_CASE("header values of handlers cannot add headers") {
  running_server s{{{"/x", [](http::request) -> http::task<http::answer> {
                       auto a = running_server::text("x");
                       a.headers.emplace_back("X-A", "1\r\nX-B: 2\r\n\r\nbody");
                       co_return a;
                     }}}};
  raw_client c{s.port};
  auto a = c.get("/x");
  CHECK_FALSE(a.headers.contains("x-b"));
  CHECK(a.body == "x");
  CHECK(c.silent_for(20ms));
}

TEST_CASE("a client that does not read its answer is cut off, others are not held up") {
  http::server_settings settings;
  settings.workers = 1;
  settings.write_timeout = 500ms;
  const std::string big(20'000'000, 'x');
  running_server s{{{"/big", [&](http::request) -> http::task<http::answer> { co_return running_server::text(big); }}},
                   settings};
  raw_client stalled{s.port, 4096}, reader{s.port};
  stalled.send("GET /big HTTP/1.1\r\n\r\n");
  CHECK((reader.get("/big").body == big)); // in brackets: nobody wants to see 20 MB
  CHECK(reader.get("/a").status == 200);
  CHECK(eventually([&] { return s.server.stats().open == 1; }));
}

TEST_CASE("connections are shared out among the threads that wait for requests") {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  running_server s{{{"/who", [&](http::request) -> http::task<http::answer> {
                       const std::lock_guard held{mutex};
                       seen.insert(std::this_thread::get_id());
                       co_return running_server::text("");
                     }}}};
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 8; ++i)
    clients.push_back(std::make_unique<raw_client>(s.port));
  for (int round = 0; round < 3; ++round)
    for (const auto& one : clients)
      CHECK(one->get("/who").status == 200);
  CHECK(seen.size() >= std::min(std::thread::hardware_concurrency(), 4U));
}

TEST_CASE("handlers that hold up their thread do not hold up other requests") {
  std::latch hold{1};
  running_server s{{{"/slow", [&](http::request) -> http::task<http::answer> {
                       hold.wait();
                       co_return running_server::text("at last");
                     }}}};
  raw_client one{s.port}, other{s.port}, third{s.port};
  one.send("GET /slow HTTP/1.1\r\n\r\n");
  other.send("GET /slow HTTP/1.1\r\n\r\n");
  CHECK(eventually([&] { return s.server.stats().requests == 2; }));
  CHECK(third.get("/a").body == "GET /a ");
  hold.count_down();
  CHECK(one.answer().body == "at last");
  CHECK(other.answer().body == "at last");
}

TEST_CASE("a second server on the port fails, one on every interface too") {
  running_server s{{}};
  http::server other{{}, nullptr, {}};
  auto port = std::to_string(s.port);
  CHECK_THROWS_AS(other.listen("127.0.0.1:" + port), rpc::failure);
  CHECK_THROWS_AS(other.listen(":" + port), rpc::failure);
}

TEST_CASE("every interface is served by one socket") {
  running_server s{{}};
  auto port = s.server.listen(":0");
  CHECK(raw_client{port}.get("/a").status == 200);
}

TEST_CASE("a socket that another process opened is served") {
  running_server s{{}};
  auto socket = http::open_listener("127.0.0.1:0");
  s.server.adopt(socket.fd);
  CHECK(raw_client{socket.port}.get("/a").status == 200);
}

TEST_CASE("stopping closes idle connections and returns at once, twice as well") {
  running_server s{{}};
  raw_client c{s.port}, unused{s.port};
  CHECK(c.get("/").status == 200);
  auto began = std::chrono::steady_clock::now();
  s.server.stop(10s);
  s.server.stop(10s);
  CHECK(std::chrono::steady_clock::now() - began < 1s);
  CHECK(c.closed());
  CHECK_THROWS(raw_client{s.port});
  CHECK_THROWS_AS(s.server.listen("127.0.0.1:0"), rpc::failure);
}

TEST_CASE("a server that was never started stops") {
  http::server s{{}, nullptr, {}};
  auto port = s.listen("127.0.0.1:0");
  raw_client c{port};
  s.stop(10s);
  CHECK(c.closed());
}

TEST_CASE("a request that comes while its connection is set up has no more time than others") {
  http::server_settings settings;
  settings.request_timeout = 200ms;
  running_server s{{}, settings};
  std::list<raw_client> clients;
  for (int i = 0; i < 200; ++i)
    clients.emplace_back(s.port).send("GET / HTTP/1.1\r\nHost: loc");
  const auto begin = std::chrono::steady_clock::now();
  for (auto& one : clients)
    CHECK(one.answer().status == 408);
  CHECK(std::chrono::steady_clock::now() - begin < settings.write_timeout / 2);
}

TEST_CASE("HEAD of what is no path is refused without a body") {
  running_server s{{}};
  for (const auto& target : {std::string{"/%zz"}, "/" + std::string(9000, 'a')}) {
    raw_client c{s.port};
    c.send("HEAD " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto all = c.rest();
    CHECK(all.starts_with("HTTP/1.1 4"));
    CHECK(all.ends_with("\r\n\r\n"));
  }
}

TEST_CASE("a request whose rest came while no thread could read it is served, though its time is over") {
  http::server_settings settings;
  settings.request_timeout = 100ms;
  settings.workers = 1;
  std::promise<void> released;
  running_server s{{{"/block",
                     [&](http::request) -> http::task<http::answer> {
                       released.get_future().wait();
                       co_return running_server::text("");
                     }}},
                   settings};
  raw_client slow{s.port}, never_done{s.port}, other{s.port};
  slow.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  never_done.send("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  CHECK(slow.silent_for(30ms));
  other.send("GET /block HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(other.silent_for(150ms));
  slow.send("cd");
  released.set_value();
  const auto served = slow.answer();
  CHECK(served.status == 200);
  CHECK(served.body == "POST /slow abcd");
  CHECK(never_done.answer().status == 408);
}

TEST_CASE("connections that are kept free are for clients that have a reserve") {
  std::atomic<bool> has_reserve{false};
  http::server_settings few;
  few.max_connections = 3;
  few.reserved = 2;
  few.standing_of = [&](const http::peer_identity&) { return http::client_standing{"", has_reserve.load()}; };
  running_server s{{}, few};
  raw_client first{s.port};
  CHECK(first.get("/").status == 200);
  raw_client second{s.port};
  CHECK(second.get("/").status == 503);
  has_reserve = true;
  raw_client third{s.port};
  CHECK(third.get("/").status == 200);
}

TEST_CASE("a client with an identity has a share of its own") {
  std::atomic<int> identity{1};
  http::server_settings one_each;
  one_each.connections_of_one = 1;
  one_each.standing_of = [&](const http::peer_identity&) {
    return http::client_standing{"identity " + std::to_string(identity.load()), false};
  };
  running_server s{{}, one_each};
  raw_client first{s.port};
  CHECK(first.get("/").status == 200);
  CHECK(raw_client{s.port}.closed());
  identity = 2;
  CHECK(raw_client{s.port}.get("/").status == 200);
}
