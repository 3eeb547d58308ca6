#include "rpc/base/thread_pool.hpp"
#include "rpc/base/unique_fd.hpp"
#include "rpc/client/client.hpp"
#include "rpc/net/reactor.hpp"
#include "test/rpc/scripted_agent.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <future>
#include <mutex>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>

using namespace mistify;
using namespace std::chrono_literals;
using test::http;
using test::peer;
using test::scripted_agent;

namespace {

const std::string fine = R"({"result":{"a":1},"error":null,"id":0})";
const std::string answer_of_fine = R"({"a":1})";

/// A client that has a kept connection to an agent, which runs `script` on what comes there next.
class kept {
public:
  explicit kept(std::function<void(peer&)> script)
    : agent_{[script = std::move(script)](peer& p) {
        p.request();
        p.send(http(fine));
        script(p);
      }} {
    rpc::endpoint to;
    to.port = agent_.port();
    to.max_answer = 1000;
    client.emplace(to);
    REQUIRE(client->call("Svc.Method", "{}", 5s, {}).root().text() == answer_of_fine);
  }

  /// What is to come of a call: its result, or "code: message".
  std::future<std::string> start(std::chrono::milliseconds timeout = 5s, const rpc::cancellation& cancel = {},
                                 const std::string& params = R"({"x":1})") {
    auto told = std::make_shared<std::promise<std::string>>();
    auto words = told->get_future();
    REQUIRE(client->start_call({answers, blocking}, "Svc.Method", params, timeout, cancel, {"request-1", "job-1"},
                               [told](const rpc::outcome<rpc::json::document>& result) {
                                 if (const auto* e = std::get_if<rpc::failure>(&result))
                                   told->set_value(std::string{rpc::to_string(e->code())} + ": " + e->message());
                                 else
                                   told->set_value(std::get<rpc::json::document>(result).root().text());
                               }));
    return words;
  }

  int connections() const { return agent_.connections(); }

  rpc::thread_pool blocking{"test", 4};
  rpc::reactor answers;
  std::optional<rpc::client> client;

private:
  scripted_agent agent_; // its end lets calls go that hang
};

/// What comes of a call that is answered so.
std::string started(std::string answer, std::chrono::milliseconds timeout = 5s) {
  kept k{[&](peer& p) {
    p.request();
    p.send(answer);
  }};
  return k.start(timeout).get();
}

} // namespace

TEST_CASE("a started call is the request that a blocking one is, on a kept connection") {
  std::mutex mutex; // the sanitizer does not see that an answer comes behind its request
  std::string last;
  kept k{[&](peer& p) {
    for (auto request = p.request(); !request.empty(); request = p.request()) {
      std::unique_lock held{mutex};
      last = std::move(request);
      held.unlock();
      p.send(http(fine));
    }
  }};
  for (int i = 0; i < 5; ++i) {
    CHECK(k.start().get() == answer_of_fine);
    std::unique_lock held{mutex};
    const auto seen = last;
    held.unlock();
    CHECK(seen.starts_with("POST /_mistify_RPC_ HTTP/1.1\r\n"));
    CHECK(seen.ends_with("\r\n\r\n"
                         R"({"method":"Svc.Method","params":[{"x":1}],"id":)" +
                         std::to_string(i + 2) + "}"));
    CHECK(seen.find("\r\nContent-Type: application/json\r\n") != seen.npos);
    CHECK(seen.find("\r\nX-Request-ID: request-1\r\n") != seen.npos);
    CHECK(seen.find("\r\nX-Guest-Job-ID: job-1\r\n") != seen.npos);
    CHECK(seen.find("\r\nHost: 127.0.0.1:" + std::to_string(k.client->to().port) + "\r\n") != seen.npos);
  }
  CHECK(k.connections() == 1);
  CHECK(k.blocking.busy() == 0);
}

TEST_CASE("without a kept connection no call is started") {
  rpc::endpoint to;
  to.port = test::free_port();
  rpc::client c{to};
  rpc::thread_pool blocking{"test", 1};
  rpc::reactor answers;
  CHECK_FALSE(c.start_call({answers, blocking}, "Svc.Method", "{}", 5s, {}, {}, [](const auto&) { FAIL("called"); }));
}

TEST_CASE("a started call takes what a blocking one takes") {
  CHECK(started(http(fine)) == answer_of_fine);
  CHECK(started("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + fine) == answer_of_fine);
  CHECK(started("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n26\r\n" + fine + "\r\n0\r\n\r\n") ==
        answer_of_fine);
  CHECK(started("HTTP/1.1 200 OK\r\ncontent-length:  38  \r\n\r\n" + fine) == answer_of_fine);
  CHECK(started("HTTP/1.1 100 Continue\r\n\r\n" + http(fine)) == answer_of_fine);
  CHECK(started(http("no room", "500 Internal Server Error")) == "sub_agent_failed: no room");
  CHECK(started(http(std::string(1001, ' '))) == "sub_agent_failed: answer over 1000 bytes");
  CHECK(started(http("[]")) == started(http("[]")));
  CHECK(started("no HTTP at all\r\n\r\n") == "sub_agent_failed: answer is no HTTP");
  CHECK(started("") == "sub_agent_unreachable: connection dropped before a whole answer");
}

TEST_CASE("an answer to another call ends a started call and its connection") {
  kept k{[](peer& p) {
    p.request();
    p.send(http(R"({"result":{"a":1},"error":null,"id":5})"));
    p.hang();
  }};
  CHECK(k.start().get() == "sub_agent_failed: answer to another call: its id is 5, not 2");
  CHECK(k.client->call("Svc.Method", "{}", 5s, {}).root().text() == answer_of_fine);
  CHECK(k.connections() == 2);
}

TEST_CASE("a started call whose answer comes in pieces is read by a thread that may block") {
  const auto answer = http(fine);
  for (std::size_t first = 1; first < answer.size(); ++first) {
    std::promise<void> go_on;
    kept k{[&](peer& p) {
      p.request();
      p.send(answer.substr(0, first));
      go_on.get_future().wait();
      p.send(answer.substr(first));
    }};
    auto words = k.start();
    while (k.blocking.busy() == 0)
      std::this_thread::yield();
    go_on.set_value();
    CHECK(words.get() == answer_of_fine);
  }
}

TEST_CASE("a started call that does not go out at once is sent by a thread that may block") {
  const std::string large = R"({"x":")" + std::string(30'000'000, 'x') + R"("})";
  std::size_t seen = 0;
  kept k{[&](peer& p) {
    seen = p.request().size();
    p.send(http(fine));
  }};
  CHECK(k.start(20s, {}, large).get() == answer_of_fine);
  CHECK(seen > large.size());
}

TEST_CASE("no answer in time ends a started call, also one that begins to come") {
  kept k{[](peer& p) {
    p.request();
    p.hang();
  }};
  CHECK(k.start(50ms).get() == "sub_agent_timeout: no answer within 50ms");
  kept drips{[](peer& p) {
    p.request();
    p.send("HTTP/1.1 200 OK\r\n");
    p.hang();
  }};
  CHECK(drips.start(50ms).get() == "sub_agent_timeout: no answer within 50ms");
}

TEST_CASE("cancelling ends a started call, before and after it was sent") {
  kept k{[](peer& p) {
    p.request();
    p.hang();
  }};
  const rpc::cancellation now;
  auto words = k.start(0ms, now);
  now.cancel();
  CHECK(words.get() == "cancelled: cancelled");
  kept other{[](peer& p) { p.request(); }};
  CHECK(other.start(0ms, now).get() == "cancelled: cancelled");
}

TEST_CASE("an answer that tells two lengths, or none, does not hold the others up") {
  kept odd{[](peer& p) {
    p.request();
    p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}");
    p.hang();
  }};
  auto waits = odd.start(300ms);
  kept bare{[](peer& p) {
    p.request();
    p.send("HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\r\n{}");
    p.hang();
  }};
  auto other = bare.start(300ms);
  kept k{[](peer& p) {
    p.request();
    p.send(http(fine));
  }};
  CHECK(k.start().get() == answer_of_fine);
  CHECK(waits.get().starts_with("sub_agent_"));
  CHECK(other.get().starts_with("sub_agent_"));
}

TEST_CASE("a reactor that stops calls all who wait, and takes nobody any more") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const rpc::unique_fd read{ends[0]}, write{ends[1]};
  rpc::reactor r;
  std::promise<void> called;
  REQUIRE(r.when_readable(read.get(), rpc::never, [&] { called.set_value(); }));
  r.stop();
  CHECK(called.get_future().wait_for(0s) == std::future_status::ready);
  CHECK_FALSE(r.when_readable(read.get(), rpc::never, [] {}));
}

TEST_CASE("a reactor calls in the order of time who waits for what does not come") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const rpc::unique_fd read{ends[0]}, other{::dup(ends[0])}, write{ends[1]};
  rpc::reactor r;
  std::promise<void> done;
  std::string order;
  const auto now = rpc::deadline::clock::now();
  REQUIRE(r.when_readable(read.get(), now + 40ms, [&] {
    order += "late";
    done.set_value();
  }));
  REQUIRE(r.when_readable(other.get(), now + 20ms, [&] { order += "soon "; }));
  done.get_future().wait();
  CHECK(order == "soon late");
  CHECK(rpc::deadline::clock::now() >= now + 40ms);
  CHECK_FALSE(r.when_readable(-1, rpc::never, [] {}));
}

TEST_CASE("an answer that came while nobody could look is taken, though its time is over") {
  kept one{[](peer& p) {
    p.request();
    p.send(http(fine));
  }};
  std::promise<void> released;
  const rpc::unique_fd bell{::eventfd(1, EFD_CLOEXEC)};
  REQUIRE(one.answers.when_readable(bell.get(), rpc::never, [&] { released.get_future().wait(); }));
  auto words = one.start(50ms);
  std::this_thread::sleep_for(150ms);
  released.set_value();
  CHECK(words.get() == answer_of_fine);
}

TEST_CASE("a reactor at the epoll set of others calls on the thread that hands it its events") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const rpc::unique_fd read{ends[0]}, write{ends[1]}, set{::epoll_create1(EPOLL_CLOEXEC)};
  rpc::reactor r{set.get()};
  bool called = false;
  REQUIRE(r.when_readable(read.get(), rpc::never, [&] { called = true; }));
  epoll_event event{};
  CHECK(::epoll_wait(set.get(), &event, 1, 0) == 0);
  REQUIRE(::write(write.get(), "x", 1) == 1);
  REQUIRE(::epoll_wait(set.get(), &event, 1, 5000) == 1);
  CHECK(rpc::reactor::is_mine(event));
  CHECK_FALSE(called);
  r.run_ready({&event, 1});
  CHECK(called);
  CHECK(::epoll_wait(set.get(), &event, 1, 0) == 0);
  called = false;
  r.run_ready({&event, 1}); // it comes too late
  CHECK_FALSE(called);
}

TEST_CASE("a reactor at the epoll set of others has an event for a time that is over") {
  const rpc::unique_fd set{::epoll_create1(EPOLL_CLOEXEC)}, silent{::eventfd(0, EFD_CLOEXEC)};
  rpc::reactor r{set.get()};
  bool called = false;
  REQUIRE(r.when_readable(silent.get(), rpc::deadline::clock::now() + 1ms, [&] { called = true; }));
  epoll_event event{};
  REQUIRE(::epoll_wait(set.get(), &event, 1, 5000) == 1);
  CHECK(rpc::reactor::is_mine(event));
  r.run_ready({&event, 1});
  CHECK(called);
}

TEST_CASE("a thread drives one reactor at a time, and none at first") {
  CHECK(rpc::reactor::of_this_thread() == nullptr);
  const rpc::unique_fd set{::epoll_create1(EPOLL_CLOEXEC)};
  rpc::reactor one{set.get()};
  std::thread{[&] {
    rpc::reactor::drive_on_this_thread(&one);
    CHECK(rpc::reactor::of_this_thread() == &one);
  }}.join();
  CHECK(rpc::reactor::of_this_thread() == nullptr);
}
