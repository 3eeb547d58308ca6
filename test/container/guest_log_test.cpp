#include "fixture.hpp"
#include "rpc/agents/container/guest_log.hpp"

#include <thread>

using namespace mistify;
using namespace mistify::agents::container;
using namespace std::chrono_literals;
using Catch::Contains;
using test::container_lab;
using test::engine_call;
using test::engine_reply;
using test::fake_engine;

namespace {

struct log_lab : container_lab {
  engine on{fake.socket()};
  guest_marks marks{dir.path() / "marks"};
  containers all{on, marks, {}};
  guest_log log{all, on, 1ms};

  log_lab() {
    act("RunContainer");
    fake.with(name, [](auto& c) { c.log = fake_engine::frame(1, "one\ntwo\n") + fake_engine::frame(2, "three\n"); });
  }

  static std::string request(const std::string& more) { return R"({"guest":")" + std::string{id} + '"' + more + '}'; }

  std::string read(const std::string& more) {
    std::string out;
    const auto answer = log.answer(request(more));
    REQUIRE(answer.stream);
    CHECK(answer.stream([&](std::string_view bytes) {
      out += bytes;
      return true;
    }));
    return out;
  }
};

} // namespace

TEST_CASE_METHOD(log_lab, "the log is both streams without frames, whole or a part by bytes") {
  CHECK(read("") == "one\ntwo\nthree\n");
  CHECK(read(R"(,"offset":4)") == "two\nthree\n");
  CHECK(read(R"(,"offset":4,"limit":5)") == "two\nt");
  CHECK(read(R"(,"limit":0)").empty());
  CHECK(read(R"(,"offset":1000)").empty());
}

TEST_CASE_METHOD(log_lab, "a request that makes no sense is 400, and a guest without a container 404") {
  for (const auto* bad : {"", "[]", "{}", R"({"guest":"x"})", R"({"guest":{"id":5}})"})
    CHECK(log.answer(bad).status == 400);
  CHECK(log.answer(request(R"(,"tail":1,"offset":1)")).status == 400);
  CHECK(log.answer(request(R"(,"tail":-1)")).status == 400);
  CHECK(log.answer(request(R"(,"follow":"yes")")).status == 400);
  fake.vanish(name);
  CHECK(log.answer(request("")).status == 404);
}

TEST_CASE_METHOD(log_lab, "a log that is followed goes on over a restart, until the container is removed") {
  std::string out;
  int runs = 0;
  fake.set_trouble([&](const engine_call& c) -> std::optional<engine_reply> {
    if (!c.path.ends_with("/logs"))
      return std::nullopt;
    CHECK_THAT(c.query, Contains("follow=1"));
    if (++runs == 1) {
      fake.end(name, 1);
      return engine_reply{200, fake_engine::frame(1, "first ")};
    }
    CHECK_THAT(c.query, Contains("since=1767225"));
    fake.vanish(name);
    return engine_reply{200, fake_engine::frame(1, "second")};
  });
  const auto answer = log.answer(request(R"(,"follow":true)"));
  std::thread other{[&] {
    while (runs == 0 || fake.get(name).status != "exited")
      std::this_thread::sleep_for(1ms);
    engine{fake.socket()}.post("/containers/" + name + "/start");
  }};
  CHECK(answer.stream([&](std::string_view bytes) {
    out += bytes;
    return true;
  }));
  other.join();
  CHECK(out == "first second");
}

TEST_CASE_METHOD(log_lab, "a receiver that leaves ends what it follows, though nothing is written") {
  const auto over = std::make_shared<std::atomic<bool>>(false); // outlives the test
  fake.set_trouble([over](const engine_call& c) -> std::optional<engine_reply> {
    if (!c.path.ends_with("/logs"))
      return std::nullopt;
    return engine_reply{.raw = "HTTP/1.1 200 OK\r\n\r\n", .then = [over](int) {
                          while (!*over)
                            std::this_thread::sleep_for(1ms);
                        }};
  });
  const auto answer = log.answer(request(R"(,"follow":true)"));
  answer.stream([&](std::string_view) { return false; });
  *over = true;
  SUCCEED("it came back");
}
