#include "fake_engine.hpp"
#include "rpc/agents/container/engine.hpp"
#include "rpc/agents/container/log_frames.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <sys/socket.h>
#include <thread>

using namespace mistify;
using namespace mistify::agents::container;
using namespace std::chrono_literals;
using Catch::Contains;
using test::engine_call;
using test::engine_reply;
using test::fake_engine;

namespace {

struct engine_lab {
  test::temp_dir dir;
  fake_engine fake{(dir.path() / "e.sock").string()};
  engine on{fake.socket()};

  void answers(engine_reply reply) {
    fake.set_trouble([reply](const engine_call&) { return std::optional{reply}; });
  }
  std::string refusal(const std::string& path = "/info") {
    try {
      on.get(path);
    } catch (const engine_error& e) {
      return e.what();
    }
    return {};
  }
};

void send(int socket, std::string_view bytes) {
  while (::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
  }
}

} // namespace

TEST_CASE("no engine, and none any more, is an error that names the socket") {
  test::temp_dir dir;
  engine nobody{(dir.path() / "none.sock").string()};
  CHECK_THROWS_AS(nobody.get("/info"), engine_away);
  CHECK_THROWS_WITH(nobody.get("/info"), Contains("none.sock"));
}

TEST_CASE_METHOD(engine_lab, "an engine that restarts is found again by the next call") {
  on.get("/info"); // leaves a connection behind
  fake.go_away();
  CHECK_THROWS_AS(on.get("/info"), engine_away);
  fake.come_back();
  CHECK_NOTHROW(on.get("/info"));
}

TEST_CASE_METHOD(engine_lab, "what the engine refuses carries its reason and its status") {
  answers({409, R"({"message":"name \"x\" is taken\nby y"})"});
  CHECK(refusal() == "name \"x\" is taken by y");
  answers({500, "plain text"});
  CHECK(refusal() == "plain text");
  answers({503, ""});
  CHECK(refusal() == "the container engine answered 503");
  answers({404, R"({"message":"no such container"})"});
  CHECK(on.find("/containers/x/json") == std::nullopt);
  CHECK_THROWS_AS(on.get("/containers/x/json"), engine_error);
}

TEST_CASE_METHOD(engine_lab, "what is so already is no error") {
  answers({304});
  CHECK(on.post("/containers/x/start") == std::nullopt);
  answers({404, "{}"});
  CHECK_NOTHROW(on.remove("/containers/x"));
}

TEST_CASE_METHOD(engine_lab, "rubbish is an error: no HTTP, no JSON, a head without end, half an answer") {
  answers({.raw = "SSH-2.0-OpenSSH\r\n\r\n"});
  CHECK_THAT(refusal(), Contains("no container engine"));
  answers({200, "<html>"});
  CHECK_THAT(refusal(), Contains("no JSON"));
  answers({.raw = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"});
  CHECK_THAT(refusal(), Contains("broke its answer off") || Contains("no container engine answers"));
  answers(
    {.raw = "HTTP/1.1 200 OK\r\n", .then = [](int socket) { send(socket, "X-A: " + std::string(900, 'a') + "\r\n"); }});
  CHECK_FALSE(refusal().empty());
}

TEST_CASE_METHOD(engine_lab, "an answer without end is bounded") {
  answers({.raw = "HTTP/1.1 200 OK\r\n\r\n", .then = [](int socket) { send(socket, std::string(100'000, 'x')); }});
  CHECK(refusal() == "the engine's answer is too large");
}

TEST_CASE_METHOD(engine_lab, "an engine that hangs is given up at the deadline, or when nobody waits any more") {
  const auto over = std::make_shared<std::atomic<bool>>(false); // outlives the test
  fake.set_trouble([over](const engine_call&) {
    return std::optional{engine_reply{.raw = "HTTP/1.1 200 OK\r\n", .then = [over](int) {
                                        while (!*over)
                                          std::this_thread::sleep_for(1ms);
                                      }}};
  });
  engine_request request{.path = "/info"};
  request.time = 50ms;
  CHECK_THROWS_WITH(on.stream(request), Contains("did not answer in time"));
  request.time = 0ms;
  request.stop = [] { return true; };
  CHECK_THROWS_WITH(on.stream(request), "cancelled");
  *over = true;
}

TEST_CASE_METHOD(engine_lab, "an error in a body of status 200 is an error") {
  answers({200, "{\"status\":\"x\"}\n{\"errorDetail\":{\"message\":\"no\\nspace\"},\"error\":\"e\"}\n"});
  std::size_t lines = 0;
  CHECK_THROWS_WITH(
    on.follow_progress({.method = "POST", .path = "/images/load"}, [&](const rpc::json::node&) { ++lines; }),
    "no space");
  CHECK(lines == 2);
  answers({200, R"({"error":"short"})"});
  CHECK_THROWS_WITH(on.follow_progress({.method = "POST", .path = "/x"}), "short");
  answers({200, "{\"stream\":\"fine\"}\nno json\n"});
  CHECK_NOTHROW(on.follow_progress({.method = "POST", .path = "/x"}));
}

TEST_CASE("lines are read however the pieces fall, and none may be endless") {
  std::vector<std::string> seen;
  json_lines lines{[&](const rpc::json::node& n) { seen.push_back(n.text()); }};
  for (const char c : std::string_view{"{\"a\":1}\n\n{\"b\":2}\r\n[3]"})
    lines.add({&c, 1});
  lines.end();
  CHECK(seen == std::vector<std::string>{R"({"a":1})", R"({"b":2})", "[3]"});
  const std::string much(100'000, ' ');
  CHECK_THROWS_AS(
    [&] {
      for (int i = 0; i < 10; ++i)
        lines.add(much);
    }(),
    engine_error);
}

TEST_CASE("the frames of a log are taken off, however the pieces fall") {
  std::string out;
  log_frames frames{[&](std::string_view bytes) {
    out += bytes;
    return out.size() < 11;
  }};
  const auto bytes = fake_engine::frame(1, "hello ") + fake_engine::frame(2, "") + fake_engine::frame(2, "world");
  bool more = true;
  for (const char c : bytes)
    more = frames.add({&c, 1});
  CHECK(out == "hello world");
  CHECK_FALSE(more);
  log_frames others{[](std::string_view) { return true; }};
  CHECK_THROWS_AS(others.add("plain text without frames"), engine_error);
}

TEST_CASE("what goes into a path or a query cannot leave its place") {
  CHECK(escaped("a/b?c&d=e f\n%") == "a%2Fb%3Fc%26d%3De%20f%0A%25");
  CHECK(filter_of("label", "mistify.guest") == "filters=%7B%22label%22%3A%5B%22mistify.guest%22%5D%7D");
}
