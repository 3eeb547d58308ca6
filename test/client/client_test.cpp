#include "fake_agent.hpp"
#include "http/client/client.hpp"
#include "http/client/event_stream.hpp"
#include "http/client/job_waiter.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <httplib.h>
#include <thread>
#include <unistd.h>

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
client::failure failure_of(F f) {
  try {
    f();
  } catch (const client::failure& e) {
    return e;
  }
  FAIL("nothing was thrown");
  throw std::logic_error{"unreachable"};
}

constexpr auto a_job =
  R"({"ID":"j1","GuestID":"g1","Action":"start","QueuedAt":"2026-01-01T00:00:00Z",)"
  R"("StartedAt":"2026-01-01T00:00:00Z","UpdatedAt":"2026-01-01T00:00:00Z","Status":"S","Message":"m"})";

std::string job_with(const std::string& status) {
  std::string text = a_job;
  return text.replace(text.find(":\"S\"") + 2, 1, status);
}

} // namespace

TEST_CASE("An address is a unix socket, http or https, and nothing else") {
  CHECK(client::parse_address("unix:/run/a.sock").host == "/run/a.sock");
  const auto https = client::parse_address("https://host.example:8443/");
  CHECK(https.how == client::address::scheme::https);
  CHECK(https.host == "host.example");
  CHECK(https.port == 8443);
  CHECK(client::parse_address("http://h").port == 80);
  CHECK(client::parse_address("https://h").authority() == "h");
  const auto v6 = client::parse_address("http://[::1]:8080");
  CHECK(v6.host == "::1");
  CHECK(v6.authority() == "[::1]:8080");
  for (const auto* wrong :
       {"", "h:80", "ftp://h", "http://", "http://h:0", "http://h:65536", "http://h:8x", "http://u:p@h",
        "http://h/path", "http://[::1", "unix:", "http://h\r\nX: y", "http://h?x"}) {
    INFO(wrong);
    CHECK(failure_of([&] { client::parse_address(wrong); }).code() == fault::usage);
  }
}

TEST_CASE("Path segments and parameters are encoded") {
  CHECK(client::encode_segment("a/b?c d%é\n") == "a%2Fb%3Fc%20d%25%C3%A9%0A");
  CHECK(client::with_query("/x", {{"label", "k=v&w"}, {"n", "1"}}) == "/x?label=k%3Dv%26w&n=1");
}

TEST_CASE("A change that is lost on its way is sent again with the same key, and is done once") {
  fake_agent agent{[](const std::string&, std::size_t before, int fd) {
    if (before > 1) // the first two connections break
      send_all(fd, answer_text(R"({"id":"g1"})", "202 Accepted", "X-Guest-Job-ID: j1\r\n"));
  }};
  client::client c{at(agent.url())};
  const auto done = c.act("g1", "start");
  CHECK(done.job == "j1");
  CHECK(done.value().id == "g1");
  const auto sent = agent.requests();
  REQUIRE(sent.size() == 3);
  CHECK(header_in(sent[0], "Idempotency-Key").size() == 32);
  CHECK(header_in(sent[0], "Idempotency-Key") == header_in(sent[2], "Idempotency-Key"));
  CHECK(sent[0].starts_with("POST /guests/g1/start HTTP/1.1\r\n"));
  c.act("g1", "start");
  CHECK(header_in(agent.requests().back(), "Idempotency-Key") != header_in(sent[0], "Idempotency-Key"));
}

TEST_CASE("A secret is asked for once, even if the answer is lost") {
  fake_agent agent{[](const std::string&, std::size_t, int) {}};
  client::client c{at(agent.url())};
  CHECK(failure_of([&] { c.create_token("{}"); }).code() == fault::lost);
  CHECK(agent.requests().size() == 1);
}

TEST_CASE("A connection that was never made is not tried again") {
  client::client c{at("http://127.0.0.1:" + std::to_string(free_port()))};
  const auto begin = std::chrono::steady_clock::now();
  CHECK(failure_of([&] { c.guests(); }).code() == fault::unreachable);
  client::client by_socket{at("unix:/nonexistent/agent.sock")};
  CHECK(failure_of([&] { by_socket.guests(); }).code() == fault::unreachable);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("An answer that trickles ends in time") {
  fake_agent agent{[](const std::string&, std::size_t, int fd) {
    send_all(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 1000 && send_all(fd, "X-A: b\r\n"); ++i)
      std::this_thread::sleep_for(20ms);
  }};
  client::client c{at(agent.url(), 300ms)};
  const auto begin = std::chrono::steady_clock::now();
  CHECK(failure_of([&] { c.guests(); }).code() == fault::timeout);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("What is no agent is told from one") {
  const auto code_of = [](const std::string& bytes) {
    fake_agent agent{[&](const std::string&, std::size_t, int fd) { send_all(fd, bytes); }};
    client::client c{at(agent.url())};
    return failure_of([&] { c.guests().value(); }).code();
  };
  CHECK(code_of(answer_text("<html>")) == fault::not_agent);
  CHECK(code_of(answer_text("[1]")) == fault::not_agent);
  CHECK(code_of(answer_text("x", "302 Found", "Location: http://127.0.0.1:1/\r\n")) == fault::not_agent);
  CHECK(code_of(answer_text("nginx", "502 Bad Gateway")) == fault::not_agent);
  std::string many;
  for (int i = 0; i < 300; ++i)
    many += "X-" + std::to_string(i) + ": y\r\n";
  CHECK(code_of(answer_text("[]", "200 OK", many)) == fault::not_agent);
}

TEST_CASE("An error of the agent has its status and message") {
  fake_agent agent{[](const std::string&, std::size_t, int fd) {
    send_all(fd, answer_text(R"({"message":"in use","code":409,"stack":[]})", "409 Conflict"));
  }};
  client::client c{at(agent.url())};
  const auto e = failure_of([&] { c.act("g", "start"); });
  CHECK(e.code() == fault::refused);
  CHECK(e.status() == 409);
  CHECK(e.message() == "in use");
}

TEST_CASE("A token that is no header value is refused before anything is sent") {
  auto how = at("http://127.0.0.1:1");
  how.token = "mst_a\r\nX-Evil: 1";
  CHECK(failure_of([&] { client::client c{how}; }).code() == fault::usage);
}

TEST_CASE("The token goes into the Authorization header") {
  fake_agent agent{[](const std::string&, std::size_t, int fd) { send_all(fd, answer_text("[]")); }};
  auto how = at(agent.url());
  how.token = "mst_abc";
  client::client c{how};
  c.guests({{"state", "running"}});
  CHECK(header_in(agent.requests().front(), "Authorization") == "Bearer mst_abc");
  CHECK(agent.requests().front().starts_with("GET /guests?state=running HTTP/1.1\r\n"));
}

TEST_CASE("The audit is read by its filter") {
  std::string asked;
  fake_agent agent{[&](const std::string& request, std::size_t, int fd) {
    asked = request;
    send_all(fd, answer_text(R"([{"who":"a b"}])"));
  }};
  client::client from{at(agent.url())};
  CHECK(from.audit({{"who", "a b"}}).value().root().items("audit").size() == 1);
  CHECK(asked.starts_with("GET /audit?who=a%20b HTTP/1.1\r\n"));
}

TEST_CASE("A wait goes on over connections that break, and ends with the job") {
  fake_agent agent{[](const std::string&, std::size_t before, int fd) {
    if (before == 0)
      send_all(fd, answer_text(job_with("Running")));
    else if (before == 3)
      send_all(fd, answer_text(R"({"message":"stopping","code":503,"stack":[]})", "503 Service Unavailable"));
    else if (before == 4)
      send_all(fd, answer_text(job_with("Error")));
  }};
  client::client c{at(agent.url())};
  std::size_t seen = 0;
  client::patience left;
  const auto ended = client::wait_for(
                       c, "j1", 1s, [&](const client::job&) { ++seen; }, left)
                       .value();
  CHECK(ended.status == rpc::job_status::error);
  CHECK(ended.message == "m");
  CHECK(seen == 1);
  CHECK(agent.requests().at(1).starts_with("GET /jobs/j1?wait=1000ms HTTP/1.1\r\n"));
}

TEST_CASE("A wait that begins without an agent lasts as long as its patience, which others share") {
  client::client c{at("http://127.0.0.1:" + std::to_string(free_port()))};
  std::vector<std::string> told;
  client::patience left{300ms, [&](const client::failure& e) { told.push_back(e.message()); }};
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_AS(client::wait_for(
                      c, "j1", 1s, [](const client::job&) {}, left),
                    client::failure);
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took >= 300ms);
  CHECK(took < 10s);
  CHECK(told.size() == 1);
  client::patience none{0ms, [](const client::failure&) { FAIL("told"); }};
  CHECK_THROWS_AS(none.outlast([&] { return c.jobs(); }), client::failure);
}

TEST_CASE("A wait for a job that is not there ends at once") {
  fake_agent agent{[](const std::string&, std::size_t, int fd) {
    send_all(fd, answer_text(R"({"message":"not found","code":404,"stack":[]})", "404 Not Found"));
  }};
  client::client c{at(agent.url())};
  client::patience left{std::chrono::hours{1}};
  CHECK_THROWS_AS(client::wait_for(
                    c, "j1", 1s, [](const client::job&) {}, left),
                  client::failure);
  CHECK(agent.requests().size() == 1);
}

TEST_CASE("An event stream is taken apart in pieces of any size") {
  const std::string text =
    "retry: 2000\nid: e-9\n\n: comment\n\nid: e-10\r\nevent: job.ended\r\ndata: {\"a\":1}\r\n\r\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    client::event_parser parser;
    std::vector<client::event_parser::block> blocks;
    for (std::size_t i = 0; i < text.size(); i += size)
      parser.feed(text.substr(i, size), [&](const auto& one) {
        blocks.push_back(one);
        return true;
      });
    REQUIRE(blocks.size() == 2);
    CHECK(blocks[0].place == "e-9");
    CHECK(blocks[0].data.empty());
    CHECK(blocks[1].place == "e-10");
    CHECK(blocks[1].type == "job.ended");
    CHECK(blocks[1].data == "{\"a\":1}");
  }
  client::event_parser parser;
  CHECK(failure_of([&] { parser.feed(std::string(2 << 20, 'x'), [](const auto&) { return true; }); }).code() ==
        fault::not_agent);
}

TEST_CASE("A reader of events goes on behind the last one that it has seen") {
  fake_agent agent{[](const std::string&, std::size_t before, int fd) {
    send_all(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
    if (before == 0) // the second event is cut off
      send_all(fd, "id: e-1\n\nid: e-2\nevent: job.queued\ndata: {\"job\":\"a\"}\n\nid: e-3\nevent: job.st");
    else
      send_all(fd, "id: e-2\n\nid: e-3\nevent: job.started\ndata: {\"job\":\"a\"}\n\n");
  }};
  client::client c{at(agent.url())};
  client::event_stream events{c, {{"type", "job"}}};
  std::vector<std::string> seen;
  int opened = 0;
  events.read(
    [&](const client::event& one) {
      seen.push_back(one.type + " " + one.job);
      return seen.size() < 2;
    },
    [&] { ++opened; });
  CHECK(seen == std::vector<std::string>{"job.queued a", "job.started a"});
  CHECK(opened == 1);
  CHECK(events.place() == "e-3");
  CHECK(header_in(agent.requests().at(0), "Last-Event-ID").empty());
  CHECK(header_in(agent.requests().at(1), "Last-Event-ID") == "e-2");
}

TEST_CASE("A reader of events that is refused does not try again") {
  fake_agent agent{[](const std::string&, std::size_t, int fd) {
    send_all(fd, answer_text(R"({"message":"no","code":403,"stack":[]})", "403 Forbidden"));
  }};
  client::client c{at(agent.url())};
  client::event_stream events{c, {}};
  CHECK(failure_of([&] { events.read([](const client::event&) { return true; }); }).status() == 403);
  CHECK(agent.requests().size() == 1);
}

TEST_CASE("A download that breaks off is no whole one") {
  fake_agent agent{[](const std::string&, std::size_t, int fd) {
    send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n12345");
  }};
  client::client c{at(agent.url())};
  std::string got;
  std::optional<std::uint64_t> length;
  const auto e = failure_of([&] {
    c.download_snapshot(
      "g", "s", 1,
      [&](std::string_view piece) {
        got += piece;
        return true;
      },
      [&](std::optional<std::uint64_t> bytes) { length = bytes; });
  });
  CHECK(e.code() == fault::lost);
  CHECK(got == "12345");
  CHECK(length == 10U);
  CHECK(agent.requests().front().starts_with("GET /guests/g/disks/1/snapshots/s/download HTTP/1.1\r\n"));
}

} // namespace mistify::test
