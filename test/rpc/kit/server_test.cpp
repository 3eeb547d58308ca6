#include "rpc/kit/server.hpp"
#include "test/rpc/scripted_agent.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <latch>
#include <thread>

using namespace mistify;
using namespace std::chrono_literals;
using rpc::guest_request;
using rpc::guest_response;

namespace {

/// Sends bytes as they are, returns what comes until the server closes, or falls silent for `quiet`.
std::string raw(std::uint16_t port, std::string_view bytes, std::chrono::milliseconds quiet = 300ms) {
  const auto link = rpc::tcp_connect("127.0.0.1", port, rpc::deadline_after(2s), {});
  REQUIRE(link.fd);
  std::string answer;
  char buffer[4096];
  while (!bytes.empty()) {
    const auto n = ::send(link.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
      break;
    bytes.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
    if (n < 0)
      rpc::wait_for(link.fd.get(), POLLOUT, rpc::deadline_after(2s));
  }
  while (rpc::wait_for(link.fd.get(), POLLIN, rpc::deadline_after(quiet))) {
    const auto n = ::recv(link.fd.get(), buffer, sizeof buffer, 0);
    if (n <= 0)
      break;
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  return answer;
}

std::string post(std::string_view body, std::string_view type = "application/json",
                 std::string_view path = "/_mistify_RPC_") {
  return "POST " + std::string{path} +
         " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: " + std::string{type} +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

/// "200 {…}": status and body of an answer.
std::string in_short(const std::string& answer) {
  const auto body = answer.find("\r\n\r\n");
  if (body == answer.npos || answer.size() < 12)
    return "no answer: " + answer;
  return answer.substr(9, 4) + answer.substr(body + 4);
}

std::string ask(const rpc::server& s, std::string_view body) {
  return in_short(raw(s.port(), post(body)));
}

struct echo_server : rpc::server {
  echo_server() : rpc::server{0} {
    handle<guest_request, guest_response>("Test.Echo", [](const guest_request& r) {
      return guest_response{r.guest, r.action};
    });
    handle<guest_request, guest_response>(
      "Test.Fail", [](const guest_request&) -> guest_response { throw std::runtime_error{"out of \"luck\""}; });
    handle_raw("Test.Raw", [](std::string_view params) { return "{\"got\":" + std::string{params} + "}"; });
    start();
  }
};

} // namespace

TEST_CASE("a typed method answers under the id it was asked with") {
  echo_server s;
  CHECK(
    ask(
      s,
      R"({"method":"Test.Echo","params":[{"guest":{"id":"g","x":1},"action":"reboot"}],"id":18446744073709551615})") ==
    "200 "
    "{\"result\":{\"guest\":{\"id\":\"g\",\"x\":1},\"message\":\"reboot\"},\"error\":null,\"id\":18446744073709551615}"
    "\n");
  CHECK(ask(s, R"({"method":"Test.Raw","params":[{"a":1.50}],"id":"seven"})") ==
        "200 {\"result\":{\"got\":{\"a\":1.50}},\"error\":null,\"id\":\"seven\"}\n");
}

TEST_CASE("what a handler throws is the answer's error, with status 200") {
  echo_server s;
  CHECK(ask(s, R"({"method":"Test.Fail","params":[{}],"id":3})") ==
        "200 {\"result\":null,\"error\":\"out of \\\"luck\\\"\",\"id\":3}\n");
}

TEST_CASE("calls that are none are answered with 4xx and a text") {
  echo_server s;
  const std::string fine = R"({"method":"Test.Echo","params":[{}],"id":1})";
  CHECK(in_short(raw(s.port(), "GET /_mistify_RPC_ HTTP/1.1\r\nHost: localhost\r\n\r\n")) ==
        "405 rpc: POST method required, received GET\n");
  CHECK(in_short(raw(s.port(), post(fine, "text/xml"))) == "415 rpc: unrecognized Content-Type: text/xml\n");
  CHECK(in_short(raw(s.port(), "POST /_mistify_RPC_ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")) ==
        "415 rpc: unrecognized Content-Type: \n");
  CHECK(in_short(raw(s.port(), post(fine, "application/json; charset=utf-8"))).starts_with("200 "));
  CHECK(in_short(raw(s.port(), post(fine, "application/json", "/elsewhere"))) == "404 404 page not found\n");
  CHECK(ask(s, "").starts_with("400 "));
  CHECK(ask(s, "{").starts_with("400 "));
  CHECK(ask(s, std::string(1 << 19, '[')).starts_with("400 "));
  CHECK(ask(s, "[]") == "400 rpc: request must be an object\n");
  CHECK(ask(s, R"({"method":"Test.Nix","params":[{}],"id":1})") == "400 rpc: can't find method \"Test.Nix\"\n");
  CHECK(ask(s, R"({"method":7,"params":[{}],"id":1})").starts_with("400 method: "));
  for (const auto* params : {"[]", "[{},{}]", "{}", "null", "[7]", "[null]"})
    CHECK(ask(s, R"({"method":"Test.Echo","params":)" + std::string{params} + R"(,"id":1})") ==
          "400 rpc: params must be an array of one object\n");
  CHECK(ask(s, R"({"method":"Test.Echo","params":[{"guest":{"memory":-1}}],"id":1})").starts_with("400 "));
}

TEST_CASE("bodies over the limit are refused, chunked ones too, and their rest is no request") {
  echo_server s;
  const std::string much(3 * 1024 * 1024, 'x');
  CHECK(ask(s, much).starts_with("413 "));
  const auto answer =
    raw(s.port(), "POST /_mistify_RPC_ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n300000\r\n" +
                    much + "\r\n0\r\n\r\n");
  CHECK(answer.find("HTTP/1.1 413") == 0);
  CHECK(answer.find("HTTP/1.1", 1) == answer.npos);
}

TEST_CASE("a head without end ends the connection") {
  echo_server s;
  std::string head = "POST /_mistify_RPC_ HTTP/1.1\r\n";
  while (head.size() < (12u << 20))
    head += "X-More: of the same\r\n";
  CHECK(raw(s.port(), head).find("200") == std::string::npos);
}

TEST_CASE("requests behind each other on one connection are answered one by one") {
  echo_server s;
  const std::string call = R"({"method":"Test.Raw","params":[{}],"id":1})";
  const auto head =
    "POST /_mistify_RPC_ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
    std::to_string(call.size()) + "\r\n\r\n";
  const auto answers = raw(s.port(), head + call + head + call);
  CHECK(answers.find("200 OK") != answers.rfind("200 OK"));
}

TEST_CASE("the client and the server understand each other") {
  echo_server s;
  rpc::endpoint to;
  to.port = s.port();
  rpc::client c{to};
  for (int i = 0; i < 100; ++i)
    REQUIRE(c.call("Test.Raw", "{\"a\":1}", 5s, {}).root().text() == "{\"got\":{\"a\":1}}");
  CHECK_THROWS_WITH(c.call("Test.Fail", "{}", 5s, {}), "out of \"luck\"");
  CHECK_THROWS_WITH(c.call("Test.Nix", "{}", 5s, {}), "rpc: can't find method \"Test.Nix\"");
}

TEST_CASE("many calls run at a time") {
  constexpr int many = 40;
  std::latch all{many};
  rpc::server s{0};
  s.handle_raw("Test.Wait", [&](std::string_view) {
    all.arrive_and_wait(); // returns only when all of them are here
    return std::string{"{}"};
  });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  rpc::client c{to};
  std::vector<std::future<rpc::json::document>> calls;
  for (int i = 0; i < many; ++i)
    calls.push_back(std::async(std::launch::async, [&] { return c.call("Test.Wait", "{}", 10s, {}); }));
  for (auto& call : calls)
    CHECK(call.get().root().text() == "{}");
}

TEST_CASE("a second server on the same port fails clearly") {
  const rpc::server s{0};
  CHECK_THROWS_WITH(rpc::server{s.port()},
                    Catch::Matchers::StartsWith("cannot listen on 127.0.0.1:" + std::to_string(s.port()) + ": "));
}

TEST_CASE("stopping is quick with idle connections, and ends listen") {
  rpc::server s{0};
  s.handle_raw("Test.Raw", [](std::string_view) { return std::string{"{}"}; });
  std::thread serving{[&] { s.listen(); }};
  rpc::endpoint to;
  to.port = s.port();
  rpc::client c{to};
  CHECK(c.call("Test.Raw", "{}", 5s, {}).root().text() == "{}");
  const auto silent = rpc::tcp_connect("127.0.0.1", s.port(), rpc::never, {});
  const auto start = std::chrono::steady_clock::now();
  s.stop();
  CHECK(std::chrono::steady_clock::now() - start < 500ms);
  serving.join();
  s.stop();
}

TEST_CASE("stopping waits for calls that run, and breaks off streams without end") {
  rpc::server s{0};
  std::promise<void> running;
  s.handle_raw("Test.Slow", [&](std::string_view) {
    running.set_value();
    std::this_thread::sleep_for(100ms);
    return std::string{"{}"};
  });
  s.handle_http("/stream", [](std::string_view) {
    return rpc::http_answer{.stream = [](const rpc::http_answer::sink& write) {
      while (write("again and again"))
        std::this_thread::sleep_for(1ms);
      return false;
    }};
  });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  rpc::client c{to};
  auto slow = std::async(std::launch::async, [&] { return c.call("Test.Slow", "{}", 5s, {}); });
  running.get_future().wait();
  to.path = "/stream";
  rpc::client d{to};
  std::promise<void> streaming;
  std::once_flag once;
  auto endless = std::async(std::launch::async, [&] {
    return d.download("{}", 5s, {},
                      {[](std::int64_t) {},
                       [&](std::string_view) {
                         std::call_once(once, [&] { streaming.set_value(); });
                         return true;
                       }});
  });
  streaming.get_future().wait();
  const auto start = std::chrono::steady_clock::now();
  s.stop();
  CHECK(std::chrono::steady_clock::now() - start < 1500ms);
  CHECK(slow.get().root().text() == "{}");
  CHECK(endless.get() == rpc::download_end::broken);
}

TEST_CASE("raw paths stream, refuse and break off") {
  rpc::server s{0};
  std::atomic<int> runs{0};
  s.handle_http("/snapshots/download", [&](std::string_view body) -> rpc::http_answer {
    if (body == "missing")
      return {.status = 404, .text = "not found"};
    if (body == "throw")
      throw std::runtime_error{"no disk"};
    const bool whole = body != "half";
    return {.stream =
              [&runs, whole](const rpc::http_answer::sink& write) {
                ++runs;
                return write("hello") && write("world") && whole;
              },
            .length = body == "sized"   ? 10
                      : body == "short" ? 11
                      : body == "long"  ? 9
                                        : -1};
  });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  to.path = "/snapshots/download";
  rpc::client c{to};
  const auto download = [&](std::string_view request) {
    std::string got;
    std::int64_t length = -2;
    const auto end = c.download(request, 2s, {},
                                {[&](std::int64_t n) { length = n; },
                                 [&](std::string_view piece) {
                                   got += piece;
                                   return true;
                                 }});
    return std::to_string(length) + ' ' + got + (end == rpc::download_end::complete ? " complete" : " broken");
  };
  CHECK(download("chunked") == "-1 helloworld complete");
  CHECK(download("sized") == "10 helloworld complete");
  CHECK(download("half") == "-1 helloworld broken");
  CHECK(download("short") == "11 helloworld broken");
  CHECK(download("long") == "9 hello broken");
  CHECK(runs == 5);
  CHECK_THROWS_WITH(download("missing"), "not found");
  CHECK_THROWS_WITH(download("throw"), "no disk");
}

TEST_CASE("a stream learns that its receiver has gone") {
  rpc::server s{0};
  std::promise<void> gone;
  s.handle_http("/stream", [&](std::string_view) {
    return rpc::http_answer{.stream = [&](const rpc::http_answer::sink& write) {
      while (write(std::string(10000, 'x'))) {
      }
      gone.set_value();
      return false;
    }};
  });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  to.path = "/stream";
  rpc::client c{to};
  CHECK(c.download("{}", 5s, {}, {[](std::int64_t) {}, [](std::string_view) { return false; }}) ==
        rpc::download_end::stopped);
  CHECK(gone.get_future().wait_for(2s) == std::future_status::ready);
}

TEST_CASE("streams take half of the connections at most, and calls get through") {
  rpc::server s{0};
  std::atomic<int> begun{0};
  std::atomic<bool> over{false};
  s.handle_http("/stream", [&](std::string_view) {
    return rpc::http_answer{.stream = [&](const rpc::http_answer::sink& write) {
      ++begun;
      while (!over && write({}))
        std::this_thread::sleep_for(1ms);
      return true;
    }};
  });
  s.handle<guest_request, guest_response>("T.Call", [](const guest_request& r) { return guest_response{r.guest}; });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  rpc::client calls{to};
  to.path = "/stream";
  rpc::client streams{to};
  const auto read = [&] {
    return streams.download("{}", 5s, {}, {[](std::int64_t) {}, [](std::string_view) { return true; }});
  };
  std::vector<std::future<rpc::download_end>> readers;
  for (int i = 0; i < 32; ++i)
    readers.push_back(std::async(std::launch::async, read));
  const auto until = rpc::deadline_after(5s);
  while (begun < 32 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(1ms);
  REQUIRE(begun == 32);
  CHECK_THROWS_WITH(read(), Catch::Contains("too many streams"));
  CHECK_NOTHROW(calls.call("T.Call", R"({"guest":{"id":"1"}})", 5s, {}));
  over = true;
  for (auto& one : readers)
    CHECK(one.get() == rpc::download_end::complete);
  CHECK(read() == rpc::download_end::complete);
}

TEST_CASE("a handler that takes long learns that its caller has gone, and that one waits") {
  rpc::server s{0};
  std::latch called{1};
  std::promise<bool> seen_waiting, seen_gone;
  s.handle<guest_request, guest_response>("T.Long", [&](const guest_request& r, const rpc::asker& who) {
    seen_waiting.set_value(!who.gone());
    called.count_down();
    const auto until = rpc::deadline_after(5s);
    while (!who.gone() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(1ms);
    seen_gone.set_value(who.gone());
    return guest_response{r.guest};
  });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  rpc::client client{to};
  const rpc::cancellation cancel;
  std::thread caller{
    [&] { CHECK_THROWS_AS(client.call("T.Long", R"({"guest":{"id":"1"}})", 10s, cancel), rpc::failure); }};
  called.wait();
  cancel.cancel();
  caller.join();
  CHECK(seen_waiting.get_future().get());
  CHECK(seen_gone.get_future().get());
}

TEST_CASE("a handler is told the job that a call belongs to, call by call, and only what can be the id of one") {
  rpc::server s{0};
  std::string seen;
  s.handle<guest_request, guest_response>("T.Job", [&](const guest_request& r, const rpc::asker& who) {
    seen = who.job();
    return guest_response{r.guest};
  });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  rpc::client client{to};
  const auto job_seen = [&](std::string_view sent) {
    client.call("T.Job", R"({"guest":{"id":"1"}})", 5s, {}, {.job_id = sent});
    return seen;
  };
  CHECK(job_seen("7756d00d-0f0e-4a3b-9c56-2f1f8a3d7e11") == "7756d00d-0f0e-4a3b-9c56-2f1f8a3d7e11");
  CHECK(job_seen("").empty());
  CHECK(job_seen("../guests").empty());
  CHECK(job_seen("a b").empty());
  CHECK(job_seen(std::string(65, 'a')).empty());
}

TEST_CASE("a stream sends pieces of files, and zeros behind their ends, in any order with other bytes") {
  const auto content = std::string(300'000, 'a') + std::string(300'000, 'b');
  std::FILE* file = std::tmpfile();
  REQUIRE(std::fwrite(content.data(), 1, content.size(), file) == content.size());
  std::fflush(file);
  const auto length = GENERATE(as<std::int64_t>{}, -1, 3 + 200'000 + 1 + 100'000 + 50'000);
  rpc::server s{0};
  s.handle_http("/stream", [&](std::string_view) {
    return rpc::http_answer{.stream =
                              [&](const rpc::http_answer::sink& write) {
                                const int fd = ::fileno(file);
                                return write("one") && write.file(fd, 200'000, 200'000) && write("2") &&
                                       write.file(fd, 500'000, 150'000);
                              },
                            .length = length};
  });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  to.path = "/stream";
  rpc::client c{to};
  std::string got;
  const auto end = c.download("{}", 5s, {},
                              {[](std::int64_t) {},
                               [&](std::string_view bytes) {
                                 got += bytes;
                                 return true;
                               }});
  CHECK(end == rpc::download_end::complete);
  CHECK(got == "one" + content.substr(200'000, 200'000) + "2" + content.substr(500'000) + std::string(50'000, '\0'));
  std::fclose(file);
}

TEST_CASE("a receiver that leaves in the middle of a file ends the stream, and nothing else") {
  std::FILE* file = std::tmpfile();
  REQUIRE(::ftruncate(::fileno(file), 64 << 20) == 0);
  std::promise<bool> sent;
  rpc::server s{0};
  s.handle_http("/stream", [&](std::string_view) {
    return rpc::http_answer{.stream =
                              [&](const rpc::http_answer::sink& write) {
                                sent.set_value(write.file(::fileno(file), 0, 64 << 20));
                                return true;
                              },
                            .length = 64 << 20};
  });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  to.path = "/stream";
  rpc::client c{to};
  CHECK(c.download("{}", 5s, {}, {[](std::int64_t) {}, [](std::string_view) { return false; }}) ==
        rpc::download_end::stopped);
  CHECK_FALSE(sent.get_future().get());
  std::fclose(file);
}

TEST_CASE("only requests by a name of this machine are answered") {
  echo_server s;
  const auto asked = [&](const std::string& headers) {
    const std::string body = R"({"method":"Test.Raw","params":[{}],"id":1})";
    return in_short(raw(s.port(), "POST /_mistify_RPC_ HTTP/1.1\r\n" + headers +
                                    "Connection: close\r\nContent-Type: application/json\r\nContent-Length: " +
                                    std::to_string(body.size()) + "\r\n\r\n" + body))
      .substr(0, 4);
  };
  CHECK(asked("Host: localhost\r\n") == "200 ");
  CHECK(asked("Host: 127.0.0.1:" + std::to_string(s.port()) + "\r\n") == "200 ");
  CHECK(asked("Host: evil.example\r\n") == "421 ");
  CHECK(asked("") == "400 ");
  CHECK(asked("Host: localhost\r\nHost: localhost\r\n") == "400 ");
  CHECK(asked("Host: a b/c@d\r\n") == "400 ");
}

TEST_CASE("web pages cannot call, but for one of the same origin") {
  echo_server s;
  const auto asked = [&](const std::string& headers) {
    const std::string body = R"({"method":"Test.Raw","params":[{}],"id":1})";
    return in_short(raw(s.port(), "POST /_mistify_RPC_ HTTP/1.1\r\nHost: localhost:" + std::to_string(s.port()) +
                                    "\r\n" + headers +
                                    "Connection: close\r\nContent-Type: application/json\r\nContent-Length: " +
                                    std::to_string(body.size()) + "\r\n\r\n" + body))
      .substr(0, 4);
  };
  CHECK(asked("Origin: http://localhost:" + std::to_string(s.port()) + "\r\n") == "200 ");
  CHECK(asked("Origin: http://evil.example\r\n") == "403 ");
  CHECK(asked("Origin: http://localhost:" + std::to_string(s.port()) + "\r\nOrigin: null\r\n") == "403 ");
  CHECK(asked("Sec-Fetch-Site: cross-site\r\n") == "403 ");
  CHECK(asked("Sec-Fetch-Site: none\r\n") == "200 ");
}

TEST_CASE("an answer is sent once, whatever ranges of it are asked for") {
  echo_server s;
  const std::string body = R"({"method":"Test.Raw","params":[{"text":")" + std::string(1000, 'x') + R"("}],"id":1})";
  const auto asked = [&](const std::string& range) {
    return raw(s.port(), "POST /_mistify_RPC_ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + range +
                           "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                           "\r\n\r\n" + body);
  };
  std::string many = "Range: bytes=0-";
  for (int i = 0; i < 500; ++i)
    many += ",0-";
  const auto whole = in_short(asked(""));
  REQUIRE(whole.starts_with("200 "));
  CHECK(in_short(asked("Range: bytes=0-0\r\n")) == whole);
  CHECK(in_short(asked(many + "\r\n")) == whole);
}

TEST_CASE("a call gets its turn while silent clients hold all places") {
  echo_server s;
  std::vector<rpc::unique_fd> silent;
  for (int i = 0; i < 100; ++i) {
    silent.push_back(rpc::tcp_connect("127.0.0.1", s.port(), rpc::deadline_after(2s), {}).fd);
    if (i % 2 == 0) // half of them begin a request
      ::send(silent.back().get(), "POST", 4, MSG_NOSIGNAL);
  }
  rpc::endpoint to;
  to.port = s.port();
  rpc::client c{to};
  CHECK(c.call("Test.Raw", "{\"a\":1}", 20s, {}).root().text() == "{\"got\":{\"a\":1}}");
}

TEST_CASE("at most 64 calls run at a time, and the others wait") {
  std::atomic<int> running{0}, most{0};
  rpc::server s{0};
  s.handle_raw("Test.Wait", [&](std::string_view) {
    const int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(20ms);
    --running;
    return std::string{"{}"};
  });
  s.start();
  rpc::endpoint to;
  to.port = s.port();
  rpc::client c{to};
  std::vector<std::thread> callers;
  std::atomic<int> answered{0};
  for (int i = 0; i < 100; ++i)
    callers.emplace_back([&] { answered += c.call("Test.Wait", "{}", 20s, {}).root().text() == "{}"; });
  for (auto& caller : callers)
    caller.join();
  CHECK(answered == 100);
  CHECK(most <= 64);
}

TEST_CASE("heads that two readers could understand differently are refused with 400") {
  echo_server s;
  const std::string body = R"({"method":"Test.Raw","params":[{}],"id":1})";
  const auto length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  const auto asked = [&](const std::string& headers) {
    return in_short(
             raw(s.port(), "POST /_mistify_RPC_ HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n" +
                             headers + "\r\n" + body))
      .substr(0, 4);
  };
  const std::string host = "Host: localhost\r\n";
  REQUIRE(asked(host + length) == "200 ");
  CHECK(asked(host + "Host:\r\n" + length) == "400 ");
  CHECK(asked("Host : localhost\r\n" + length) == "400 ");
  CHECK(asked(host + "X-A: 1\r\n folded\r\n" + length) == "400 ");
  CHECK(asked(std::string{"Host: local\0host\r\n", 18} + length) == "400 ");
  CHECK(asked(host + length + length) == "400 ");
  CHECK(asked(host + length + "Transfer-Encoding: chunked\r\n") == "400 ");
}

TEST_CASE("an empty Origin or Sec-Fetch-Site counts as one of another site, and a bad Range as none") {
  echo_server s;
  const std::string body = R"({"method":"Test.Raw","params":[{}],"id":1})";
  const auto asked = [&](const std::string& header) {
    return in_short(raw(s.port(), "POST /_mistify_RPC_ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header +
                                    "\r\nContent-Type: application/json\r\nContent-Length: " +
                                    std::to_string(body.size()) + "\r\n\r\n" + body))
      .substr(0, 4);
  };
  CHECK(asked("Origin:") == "403 ");
  CHECK(asked("Sec-Fetch-Site:") == "403 ");
  CHECK(asked("Range: bytes=9-1") == "200 ");
}
