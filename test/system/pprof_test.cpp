#include "house.hpp"
#include "tool.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

using namespace mistify::test;

TEST_CASE("the command line is NUL-joined, and symbol answers whether it can be asked") {
  house h;
  const auto line = h.http.get("/debug/pprof/cmdline");
  CHECK(line.status == 200);
  CHECK(line.body.find(std::string{"\0-c\0", 4}) != std::string::npos);
  const auto asked = h.http.get("/debug/pprof/symbol");
  CHECK(asked.status == 200);
  CHECK(asked.body == "num_symbols: 1\n");
}

TEST_CASE("the index links to every profile, and threads are counted by name") {
  house h;
  const auto index = h.http.get("/debug/pprof/");
  CHECK(index.status == 200);
  CHECK(index.header("content-type") == "text/html; charset=utf-8");
  for (const auto* profile : {"profile", "heap", "growth", "threadcreate", "cmdline", "symbol"})
    CHECK(index.body.find(std::string{"href=\"/debug/pprof/"} + profile) != std::string::npos);
  const auto threads = h.http.get("/debug/pprof/threadcreate").body;
  int all = 0;
  REQUIRE(std::sscanf(threads.c_str(), "threadcreate profile: total %d", &all) == 1);
  CHECK(all > 3);
  CHECK(threads.find("\n# ") != std::string::npos);
}

TEST_CASE("debug routes that are switched off refuse, also clients on this machine") {
  house h{[](config_file& c) { c.top["debug"] = R"({"access":"off"})"; }};
  for (const auto* path : {"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/profile?seconds=1"}) {
    const auto answer = h.http.get(path);
    CHECK(answer.status == 403);
    CHECK(error_message(answer).find("debug.access") != std::string::npos);
  }
}

TEST_CASE("a profile of no, negative or fractional seconds is refused") {
  house h;
  for (const auto* seconds : {"0", "-1", "1.5", "x", ""}) {
    const auto answer = h.http.get(std::string{"/debug/pprof/profile?seconds="} + seconds);
    CHECK(answer.status == 400);
    CHECK(error_message(answer).find("seconds") != std::string::npos);
  }
}

#ifdef MISTIFY_PROFILER

namespace {

/// Clients that keep the agent busy, until this goes.
class load {
public:
  explicit load(const http_client& on) {
    for (auto& client : clients_)
      client = std::jthread{[this, on](const std::stop_token& stop) {
        while (!stop.stop_requested())
          answered_ += on.get("/guests").status == 200;
      }};
  }
  int answered() const { return answered_; }

private:
  std::atomic<int> answered_{0};
  std::jthread clients_[2];
};

/// google-pprof as Debian has it, on a profile of the agent; it finds the symbols by asking the agent.
tool_result google_pprof(const house& h, const std::string& options, const std::string& profile, const temp_dir& dir) {
  return run_tool("PPROF_TMPDIR=" + dir.path().string() + " google-pprof --text " + options +
                  " http://127.0.0.1:" + std::to_string(h.http.port()) + "/debug/pprof/" + profile);
}

} // namespace

TEST_CASE("google-pprof reads a processor profile, with the names of the agent's functions") {
  house h;
  const temp_dir dir;
  const load clients{h.http};
  const auto shown = google_pprof(h, "--seconds=2", "profile", dir);
  INFO(shown.output);
  CHECK(shown.code == 0);
  CHECK(shown.output.find("Total: ") != std::string::npos);
  CHECK(shown.output.find("mistify::http::") != std::string::npos);
}

TEST_CASE("google-pprof reads the heap and its growth") {
  house h{[](config_file& c) { c.top["limits"] = R"({"guest_bytes":1000000})"; }};
  // The heap is sampled once in 512 KiB: enough of it that a profile without a sample cannot be chance.
  for (int i = 0; i < 30; ++i)
    h.create_guest(R"("notes":")" + std::string(500'000, 'x') + '"');
  const temp_dir dir;
  for (const auto* profile : {"heap", "growth"}) {
    const auto shown = google_pprof(h, "", profile, dir);
    INFO(shown.output);
    CHECK(shown.code == 0);
    CHECK(shown.output.find("Total: ") != std::string::npos);
    CHECK(shown.output.find(" MB") != std::string::npos);
  }
  const auto heap = h.http.get("/debug/pprof/heap").body;
  CHECK(heap.starts_with("heap profile: "));
  CHECK(heap.find("@ heap_v2/524288") != std::string::npos);
  CHECK(heap.find("MAPPED_LIBRARIES:") != std::string::npos);
}

TEST_CASE("symbol names the agent's functions by GET and by POST, and passes over what it does not know") {
  house h;
  // The address of a function of the library is in the heap profile's stacks: take all of them.
  const auto growth = h.http.get("/debug/pprof/growth").body;
  std::string addresses = "0x1+junk";
  for (auto at = growth.find(" 0x"); at != std::string::npos && growth.find("MAPPED") > at;
       at = growth.find(" 0x", at + 1))
    addresses += "+" + growth.substr(at + 1, growth.find_first_of(" \n", at + 1) - at - 1);
  const auto posted = h.http.post("/debug/pprof/symbol", addresses);
  CHECK(posted.status == 200);
  CHECK(posted.body.find("main\n") != std::string::npos);
  CHECK_FALSE(posted.body.starts_with("0x1\t"));
  const auto got = h.http.get("/debug/pprof/symbol?" + posted.body.substr(0, posted.body.find('\t')));
  CHECK(got.body == posted.body.substr(0, posted.body.find('\n') + 1));
}

TEST_CASE("two profiles at the same time are a conflict for one of them, and hold up nobody else") {
  house h;
  const auto statuses_of_two = [&] {
    std::array<int, 2> statuses{};
    {
      std::vector<std::jthread> both;
      for (auto& status : statuses)
        both.emplace_back([&] { status = h.http.get("/debug/pprof/profile?seconds=2").status; });
      CHECK(h.outcome(h.http.post("/guests", "{}").job()) == "Complete");
    }
    std::sort(statuses.begin(), statuses.end());
    return statuses;
  };
  CHECK(eventually([&] { return statuses_of_two() == std::array{200, 409}; }));
  const auto profile = h.http.get("/debug/pprof/profile?seconds=1");
  CHECK(profile.status == 200);
  CHECK(profile.header("content-type") == "application/octet-stream");
  CHECK(profile.body.find("mistify-agent") != std::string::npos); // of the mappings at its end
}

namespace {

/// A client that waits for a profile of ten minutes, which has begun: others are refused.
std::unique_ptr<raw_client> begin_long_profile(const house& h) {
  std::unique_ptr<raw_client> waiting;
  REQUIRE(eventually([&] {
    waiting = std::make_unique<raw_client>(h.http.port());
    waiting->send("GET /debug/pprof/profile?seconds=600 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return h.http.get("/debug/pprof/profile?seconds=1").status == 409;
  }));
  return waiting;
}

} // namespace

TEST_CASE("a client that leaves ends its profile") {
  house h;
  begin_long_profile(h).reset();
  CHECK(eventually([&] { return h.http.get("/debug/pprof/profile?seconds=1").status == 200; }));
}

TEST_CASE("an agent that takes a profile stops all the same") {
  house h{[](config_file& c) { c.top["drain_timeout"] = "0"; }};
  const auto waiting = begin_long_profile(h);
  CHECK(h.agent.stop() == 0);
}

#else

TEST_CASE("a build without a profiler says so") {
  house h;
  for (const auto* profile : {"profile?seconds=1", "heap", "growth"}) {
    const auto answer = h.http.get(std::string{"/debug/pprof/"} + profile);
    CHECK(answer.status == 404);
    CHECK(error_message(answer) == "this agent was built without a profiler");
  }
}

#endif
