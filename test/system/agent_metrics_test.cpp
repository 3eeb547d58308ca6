#include "house.hpp"
#include "samples.hpp"
#include "tool.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <regex>
#include <string_view>
#include <thread>

using namespace mistify::test;

namespace {

/// Waits until a sample of the agent's metrics has this value: what is counted at an end is so just after the answer.
bool becomes(const house& h, const std::string& name, double value) {
  return eventually([&] { return sample(h.http.get("/metrics").body, name) == value; });
}

} // namespace

TEST_CASE("requests are counted by route, method and status, and timed") {
  house h;
  const auto id = h.create_guest();
  for (int i = 0; i < 3; ++i)
    h.http.get("/guests/" + id);
  h.http.get("/guests/none");
  h.http.get("/no/such/route");
  h.http.del("/guests");
  h.http.get("/guests/" + id + "/explode"); // fails before it begins
  h.http.post("/guests/" + id + "/explode");
  h.http.send("POST", "/guests/" + id + "/reboot", "", {"If-Match: \"old\""});
  const auto page = h.http.get("/metrics");
  CHECK(page.status == 200);
  CHECK(page.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  const auto requests = [&](const std::string& labels) {
    return sample(page.body, "mistify_http_requests_total{" + labels + "}");
  };
  CHECK(requests(R"(method="GET",route="/guests/{guest}",status="200")") == 3);
  CHECK(requests(R"(method="GET",route="/guests/{guest}",status="404")") == 1);
  CHECK(requests(R"(method="POST",route="/guests",status="202")") == 1);
  CHECK(requests(R"(method="GET",route="/guests/{guest}/{action}",status="404")") == 1);
  CHECK(requests(R"(method="POST",route="/guests/{guest}/{action}",status="404")") == 1);
  CHECK(requests(R"(method="POST",route="/guests/{guest}/{action}",status="412")") == 1);
  CHECK(requests(R"(method="any",route="unknown",status="404")") == 1);
  CHECK(requests(R"(method="any",route="unknown",status="405")") == 1);
  const std::string of_guest = R"({method="GET",route="/guests/{guest}")";
  CHECK(sample(page.body, "mistify_http_request_duration_seconds_count" + of_guest + "}") == 4);
  CHECK(sample(page.body, "mistify_http_request_duration_seconds_bucket" + of_guest + ",le=\"+Inf\"}") == 4);
  CHECK(sample(page.body, "mistify_http_request_duration_seconds_sum" + of_guest + "}") > 0);
  CHECK(page.body.find(id) == std::string::npos); // no ids: they would make series without end
}

TEST_CASE("jobs are counted by action and outcome") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [](const call& c) { return rpc_error(c, "\"no\""); });
  h.sub.on("Test.Restart", [](const call&) { return hang(); });
  CHECK(h.outcome(h.http.post("/guests/" + id + "/reboot").job()) == "Error");
  const auto hanging = h.http.post("/guests/" + id + "/restart").job();
  const auto queued = h.http.post("/guests/" + id + "/restart").job();
  CHECK(becomes(h, R"(mistify_work_running{kind="job"})", 1));
  CHECK(becomes(h, R"(mistify_work_waiting{kind="job"})", 1));
  h.http.del("/jobs/" + queued);
  h.http.del("/jobs/" + hanging);
  CHECK(becomes(h, R"(mistify_jobs_ended_total{action="restart",outcome="cancelled"})", 2));
  CHECK(becomes(h, R"(mistify_jobs_ended_total{action="reboot",outcome="error"})", 1));
  CHECK(becomes(h, R"(mistify_jobs_ended_total{action="create",outcome="complete"})", 1));
  CHECK(becomes(h, R"(mistify_jobs_queued_total{action="restart"})", 2));
  CHECK(becomes(h, R"(mistify_job_duration_seconds_count{action="restart"})", 1)); // the other never began
  CHECK(becomes(h, R"(mistify_work_running{kind="job"})", 0));
  CHECK(becomes(h, R"(mistify_work_waiting{kind="job"})", 0));
}

TEST_CASE("a job that was interrupted by a crash is counted at the next start") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  h.agent.kill_and_start();
  const auto page = h.http.get("/metrics").body;
  CHECK(sample(page, R"(mistify_jobs_ended_total{action="reboot",outcome="interrupted"})") == 1);
  CHECK(text_at(h.http.get("/jobs/" + job).body, "Status") == "Error");
}

TEST_CASE("calls to a service are counted by outcome, commits with their steps, connections and the process") {
  house h{
    [](config_file& c) { c.stages("nicMetrics", R"({"service":"test","method":"Test.NicMetrics","timeout":0.05})"); }};
  const auto id = h.create_guest();
  h.sub.on("Test.CpuMetrics", [](const call& c) { return rpc_error(c, "\"no\""); });
  h.sub.on("Test.NicMetrics", [](const call&) { return hang(); });
  h.http.get("/guests/" + id + "/metrics/cpu");
  h.http.get("/guests/" + id + "/metrics/nic");
  const auto calls = [&](const std::string& outcome, double n) {
    return becomes(h, R"(mistify_service_calls_total{service="test",outcome=")" + outcome + "\"}", n);
  };
  CHECK(calls("ok", 1));
  CHECK(calls("error", 1));
  CHECK(calls("timeout", 1));
  CHECK(calls("refused", 0));
  CHECK(becomes(h, R"(mistify_service_call_duration_seconds_count{service="test"})", 3));
  CHECK(becomes(h, R"(mistify_service_calls_running{service="test"})", 0));
  const auto page = h.http.get("/metrics").body;
  CHECK(sample(page, R"(mistify_commits_total{outcome="ok"})") >= 2); // queued and stage 1 starts; complete
  CHECK(sample(page, R"(mistify_commits_total{outcome="error"})") == 0);
  CHECK(sample(page, "mistify_commit_steps_sum") >= 2);
  CHECK(sample(page, "mistify_commit_duration_seconds_count") ==
        sample(page, R"(mistify_commits_total{outcome="ok"})"));
  CHECK(sample(page, "mistify_http_connections") >= 1);
  CHECK(sample(page, "mistify_guests") == 1);
  CHECK(sample(page, "process_cpu_seconds_total") > 0);
  CHECK(sample(page, "process_resident_memory_bytes") > 1e6);
  CHECK(sample(page, "process_open_fds") > 3);
  CHECK(sample(page, "process_threads") > 3);
}

TEST_CASE("the metrics answer while every sub-agent hangs and every place is taken") {
  house h{[](config_file& c) { c.services["test"].insert(c.services["test"].size() - 1, R"(,"max_pending":2)"); }};
  const auto id = h.create_guest();
  for (const auto* method : {"Test.ListImages", "Test.Reboot"})
    h.sub.on(method, [](const call&) { return hang(); });
  h.http.post("/guests/" + id + "/reboot");
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 8; ++i)
    waiting.emplace_back([&] { h.http.get("/images?type=kvm"); });
  REQUIRE(h.sub.wait_for("Test.ListImages", 1));
  CHECK(becomes(h, R"(mistify_service_calls_running{service="test"})", 2));
  CHECK(becomes(h, R"(mistify_service_calls_waiting{service="test"})", 7));
  CHECK(becomes(h, R"(mistify_work_running{kind="info"})", 8));
  CHECK(becomes(h, "mistify_http_parked_requests", 8));
  h.agent.running().signal(SIGKILL); // the clients need not wait for their time-outs
}

TEST_CASE("promtool finds nothing wrong with the metrics") {
  house h;
  const auto id = h.create_guest();
  h.http.get("/guests/" + id + "/metrics/cpu");
  const temp_dir dir;
  const auto checked = run_tool("promtool check metrics < " + dir.write("page", h.http.get("/metrics").body));
  CHECK(checked.output == "");
  CHECK(checked.code == 0);
}

TEST_CASE("the dashboard shows metrics that there are") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.CpuMetrics", [](const call& c) { return result(c, R"({"cpu":[{"cpu_time":1}]})"); });
  REQUIRE(eventually([&] { return h.http.get("/metrics/guests").body.find(id) != std::string::npos; }));
  const auto there = h.http.get("/metrics").body + h.http.get("/metrics/guests").body;
  const auto dashboard = read_text(DASHBOARD);
  const std::regex name{R"((mistify|process)_[a-z_]+[a-z])"};
  std::size_t names = 0;
  for (std::sregex_iterator found{dashboard.begin(), dashboard.end(), name}, end; found != end; ++found, ++names) {
    auto family = found->str();
    for (const auto* suffix : {"_bucket", "_sum", "_count"})
      if (family.ends_with(suffix))
        family.resize(family.size() - std::string_view{suffix}.size());
    INFO(family);
    CHECK(there.find("# TYPE " + family + ' ') != std::string::npos);
  }
  CHECK(names > 20);
}
