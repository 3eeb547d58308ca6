#include "house.hpp"
#include "samples.hpp"
#include "tool.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

using namespace mistify::test;
using namespace std::chrono_literals;

namespace {

script cpu_time(double seconds) {
  return [=](const call& c) { return result(c, R"({"cpu":[{"cpu_time":)" + std::to_string(seconds) + "}]}"); };
}

std::string cpu_of(const std::string& guest) {
  return R"(mistify_guest_cpu_seconds_total{guest=")" + guest + R"(",cpu="0"})";
}

std::string page(const house& h) {
  const auto answer = h.http.get("/metrics/guests");
  CHECK(answer.status == 200);
  CHECK(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  return answer.body;
}

} // namespace

TEST_CASE("a scrape of the guests' metrics has them fetched, and a later one shows them with their age") {
  house h;
  const auto a = h.create_guest(), b = h.create_guest();
  h.sub.on("Test.CpuMetrics", cpu_time(1.5));
  CHECK(h.sub.calls("Test.CpuMetrics").empty()); // nobody looked
  CHECK(sample(page(h), cpu_of(a)) == -1);
  CHECK(eventually([&] { return sample(page(h), cpu_of(a)) == 1.5 && sample(page(h), cpu_of(b)) == 1.5; }));
  const auto age = R"(mistify_guest_metrics_age_seconds{guest=")" + a + "\"}";
  CHECK(sample(page(h), age) >= 0);
  const temp_dir dir;
  const auto checked = run_tool("promtool check metrics < " + dir.write("page", page(h)));
  CHECK(checked.output == "");
  CHECK(checked.code == 0);
}

TEST_CASE("scrapes that follow each other closely share one round") {
  house h;
  const auto a = h.create_guest();
  h.sub.on("Test.CpuMetrics", cpu_time(1));
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(eventually([&] { return sample(page(h), cpu_of(a)) == 1; }));
  for (int i = 0; i < 20; ++i)
    page(h);
  const auto rounds = h.sub.calls("Test.CpuMetrics").size();
  const auto passed = std::chrono::steady_clock::now() - begin;
  CHECK(rounds <= 1 + static_cast<std::size_t>(passed / 5s));
}

TEST_CASE("no scrape waits for a sub-agent that hangs, and what was known stays and grows old") {
  house h;
  const auto a = h.create_guest();
  h.sub.on("Test.CpuMetrics", cpu_time(1));
  REQUIRE(eventually([&] { return sample(page(h), cpu_of(a)) == 1; }));
  h.sub.on("Test.CpuMetrics", [](const call&) { return hang(); });
  const auto calls = h.sub.calls("Test.CpuMetrics").size();
  REQUIRE(eventually([&] {
    page(h);
    return h.sub.calls("Test.CpuMetrics").size() > calls;
  }));
  CHECK(sample(page(h), cpu_of(a)) == 1);
  CHECK(h.http.get("/metrics").status == 200);
}

TEST_CASE("the figures of a guest that does not run are gone, and so are those of a deleted one") {
  house h;
  const auto a = h.create_guest(), b = h.create_guest();
  h.sub.on("Test.CpuMetrics", cpu_time(1));
  REQUIRE(eventually([&] { return sample(page(h), cpu_of(a)) == 1 && sample(page(h), cpu_of(b)) == 1; }));
  h.sub.on("Test.CpuMetrics", [](const call& c) { return rpc_error(c, "\"domain is not running\""); });
  CHECK(h.outcome(h.http.del("/guests/" + b).job()) == "Complete");
  CHECK(eventually([&] {
    const auto now = page(h);
    return sample(now, cpu_of(a)) == -1 && now.find(b) == std::string::npos;
  }));
}

TEST_CASE("a request comes before the metrics: they take no place that somebody waits for") {
  house h{[](config_file& c) { c.services["test"].insert(c.services["test"].size() - 1, R"(,"max_pending":2)"); }};
  const auto a = h.create_guest();
  // One place is taken, so that none is to spare.
  gate door;
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  h.sub.on("Test.CpuMetrics", cpu_time(1));
  const auto job = h.http.post("/guests/" + a + "/reboot").job();
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  page(h);
  std::this_thread::sleep_for(500ms); // that nothing happens can only be waited for
  CHECK(h.sub.calls("Test.CpuMetrics").empty());
  CHECK(h.http.get("/guests/" + a + "/metrics/cpu").status == 200); // a user gets the last place
  CHECK(h.sub.calls("Test.CpuMetrics").size() == 1);
  door.open();
  CHECK(h.outcome(job) == "Complete");
  CHECK(eventually([&] { return sample(page(h), cpu_of(a)) == 1; }));
}
