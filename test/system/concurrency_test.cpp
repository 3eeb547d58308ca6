#include "house.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

using namespace mistify::test;
using namespace std::chrono_literals;

namespace {

script behind(gate& door) {
  return [&door](const call& c) {
    door.wait();
    return echo(c);
  };
}

std::string service_with(std::uint16_t port, int max_pending) {
  return R"({"port":)" + std::to_string(port) + R"(,"max_pending":)" + std::to_string(max_pending) + "}";
}

/// Requests that are under way until they are collected.
struct crowd {
  void add(const http_client& http, const std::string& path) {
    clients.push_back(std::make_unique<raw_client>(http.port()));
    clients.back()->send(request_text("GET", path));
  }
  std::size_t answered_with(int status) {
    std::size_t n = 0;
    for (auto& client : clients)
      n += client->answer().status == status;
    return n;
  }
  std::vector<std::unique_ptr<raw_client>> clients;
};

} // namespace

TEST_CASE("changes of one guest run one at a time and in order") {
  house h;
  const auto id = h.create_guest();
  std::vector<std::string> expected, jobs;
  for (int i = 0; i < 10; ++i)
    for (const auto* action : {"reboot", "start", "suspend"}) {
      jobs.push_back(h.http.post("/guests/" + id + "/" + action).job());
      expected.emplace_back(action);
    }
  for (const auto& job : jobs)
    CHECK(h.outcome(job) == "Complete");
  std::vector<std::string> order;
  for (const auto& sent : h.sub.calls())
    order.push_back(text_at(sent.params, "action"));
  order.erase(order.begin()); // the create
  CHECK(order == expected);
  CHECK(h.sub.most_under_way() == 1);
}

TEST_CASE("guests do not wait for one another") {
  house h;
  gate door;
  const auto slow = h.create_guest();
  const auto quick = h.create_guest();
  h.sub.on("Test.Reboot", behind(door));
  const auto held = h.http.post("/guests/" + slow + "/reboot").job();
  CHECK(h.becomes(held, "Running"));
  CHECK(h.outcome(h.http.post("/guests/" + quick + "/start").job()) == "Complete");
  CHECK(text_at(h.http.get("/jobs/" + held).body, "Status") == "Running");
  door.open();
  CHECK(h.outcome(held) == "Complete");
}

TEST_CASE("a change that runs does not hold up questions about its guest") {
  house h;
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", behind(door));
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.becomes(job, "Running"));
  CHECK(h.http.get("/guests/" + id).status == 200);
  CHECK(h.http.get("/guests/" + id + "/metrics/cpu").status == 200);
  CHECK(h.http.get("/guests/" + id + "/snapshots").status == 200);
  door.open();
  CHECK(h.outcome(job) == "Complete");
}

TEST_CASE("a service gets four calls at a time, and the rest waits") {
  house h;
  gate door;
  std::vector<std::string> guests, jobs;
  for (int i = 0; i < 8; ++i)
    guests.push_back(h.create_guest());
  h.sub.on("Test.Reboot", behind(door));
  for (const auto& id : guests)
    jobs.push_back(h.http.post("/guests/" + id + "/reboot").job());
  CHECK(h.sub.wait_for("Test.Reboot", 4));
  CHECK_FALSE(eventually([&] { return h.sub.under_way() > 4; }, 300ms));
  door.open();
  for (const auto& job : jobs)
    CHECK(h.outcome(job) == "Complete");
  CHECK(h.sub.most_under_way() == 4);
}

TEST_CASE("a question that finds no place in time is to come again, and is not the sub-agent's fault") {
  house h{[](config_file& c) {
    const auto port = static_cast<std::uint16_t>(std::stoi(at(c.services["test"], "port")));
    c.services["test"] = service_with(port, 1);
    c.stages("listImages", R"({"service":"test","method":"Test.ListImages","timeout":0.1})");
  }};
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", behind(door));
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  const auto answer = h.http.get("/images?type=kvm");
  CHECK(answer.status == 503);
  CHECK(answer.header("retry-after") == "1");
  CHECK(error_message(answer) == "timed out waiting for a free place at service test");
  CHECK(h.sub.calls("Test.ListImages").empty());
  door.open();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.http.get("/images?type=kvm").status == 200);
}

TEST_CASE("the config sets how many calls a service gets at a time") {
  house h{[](config_file& c) {
    const auto port = static_cast<std::uint16_t>(std::stoi(at(c.services["test"], "port")));
    c.services["test"] = service_with(port, 2);
  }};
  gate door;
  std::vector<std::string> guests, jobs;
  for (int i = 0; i < 4; ++i)
    guests.push_back(h.create_guest());
  h.sub.on("Test.Reboot", behind(door));
  for (const auto& id : guests)
    jobs.push_back(h.http.post("/guests/" + id + "/reboot").job());
  CHECK(h.sub.wait_for("Test.Reboot", 2));
  CHECK_FALSE(eventually([&] { return h.sub.under_way() > 2; }, 300ms));
  door.open();
  for (const auto& job : jobs)
    CHECK(h.outcome(job) == "Complete");
}

TEST_CASE("a hundred questions about a guest run at a time, and the rest waits") {
  house h{[](config_file& c) {
    const auto port = static_cast<std::uint16_t>(std::stoi(at(c.services["test"], "port")));
    c.services["test"] = service_with(port, 500);
  }};
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.CpuMetrics", behind(door));
  crowd asking;
  for (int i = 0; i < 110; ++i)
    asking.add(h.http, "/guests/" + id + "/metrics/cpu");
  CHECK(h.sub.wait_for("Test.CpuMetrics", 100));
  CHECK_FALSE(eventually([&] { return h.sub.under_way() > 100; }, 300ms));
  CHECK(h.healthy());
  door.open();
  CHECK(asking.answered_with(200) == 110);
  CHECK(h.sub.most_under_way() == 100);
}

TEST_CASE("a full queue asks to come again later, and logs no job") {
  house h{[](config_file& c) { c.top["limits"] = R"({"queue":2})"; }};
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", behind(door));
  const auto running = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.becomes(running, "Running"));
  std::vector<std::string> jobs{running};
  for (int i = 0; i < 2; ++i)
    jobs.push_back(h.http.post("/guests/" + id + "/start").job());
  for (const auto& path : {"/guests/" + id + "/start", "/guests/" + id + "/snapshots"}) {
    const auto refused = h.http.post(path, "{}");
    CHECK(refused.status == 429);
    CHECK_FALSE(error_message(refused).empty());
    CHECK(std::stoi("0" + refused.header("retry-after")) > 0);
  }
  CHECK(count(h.http.get("/guests/" + id + "/jobs").body) == 4);
  // The queue of another guest is another queue.
  h.create_guest();
  door.open();
  for (const auto& job : jobs)
    CHECK(h.outcome(job) == "Complete");
  CHECK(h.http.post("/guests/" + id + "/start").status == 202);
}

TEST_CASE("many clients at once each get their own answer") {
  house h;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const auto memory = std::to_string(1 + t * 100 + i);
        const auto made = h.http.post("/guests", R"({"memory":)" + memory + "}");
        if (made.status != 202 || at(made.body, "memory") != memory || h.outcome(made.job()) != "Complete" ||
            at(h.http.get("/guests/" + text_at(made.body, "id")).body, "memory") != memory)
          ++wrong;
      }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(wrong == 0);
  CHECK(count(h.http.get("/guests").body) == 160);
}
