#include "house.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <future>
#include <thread>

using namespace mistify::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

/// A guest whose reboot waits at a door.
struct waiting_house : house {
  waiting_house() {
    id = create_guest();
    sub.on("Test.Reboot", [this](const call& c) {
      door.wait();
      return echo(c);
    });
  }
  ~waiting_house() { door.open(); }

  std::string reboot() const { return http.post("/guests/" + id + "/reboot").job(); }

  gate door;
  std::string id;
};

} // namespace

TEST_CASE("a client may wait for the end of a job instead of asking again") {
  waiting_house h;
  const auto job = h.reboot();
  auto waiting = std::async(std::launch::async, [&] { return h.http.get("/jobs/" + job + "?wait=30s"); });
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  CHECK(waiting.wait_for(100ms) == std::future_status::timeout);
  h.door.open();
  const auto answer = waiting.get();
  CHECK(answer.status == 200);
  CHECK(text_at(answer.body, "Status") == "Complete");
  CHECK(text_at(h.http.get("/guests/" + h.id + "/jobs/" + job + "?wait=1s").body, "Status") == "Complete");
}

TEST_CASE("a wait that is over first answers with the job as it is") {
  waiting_house h;
  const auto job = h.reboot();
  const auto begin = steady_clock::now();
  const auto answer = h.http.get("/jobs/" + job + "?wait=300ms");
  CHECK(steady_clock::now() - begin >= 290ms);
  CHECK(answer.status == 200);
  CHECK(text_at(answer.body, "Status") == "Running");
  for (const auto* bad : {"x", "-1s", "1.5s", "5y", ""})
    CHECK(h.http.get("/jobs/" + job + "?wait=" + bad).status == 400);
}

TEST_CASE("a wait is answered when the agent stops") {
  waiting_house h;
  const auto job = h.reboot();
  auto waiting = std::async(std::launch::async, [&] { return h.http.get("/jobs/" + job + "?wait=60s"); });
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  CHECK(waiting.wait_for(300ms) == std::future_status::timeout); // by now the agent has the request
  h.door.open();
  CHECK(h.agent.stop() == 0);
  CHECK(text_at(waiting.get().body, "Status") == "Complete");
}

TEST_CASE("hundreds that wait hold up nobody") {
  waiting_house h;
  const auto job = h.reboot();
  std::vector<std::future<response>> waiting;
  for (int i = 0; i < 90; ++i)
    waiting.push_back(std::async(std::launch::async, [&] { return h.http.get("/jobs/" + job + "?wait=60s"); }));
  const auto begin = steady_clock::now();
  CHECK(h.http.get("/guests").status == 200);
  CHECK(steady_clock::now() - begin < 2s);
  h.door.open();
  for (auto& one : waiting)
    CHECK(text_at(one.get().body, "Status") == "Complete");
}

TEST_CASE("a job is cancelled while it waits and while it runs") {
  waiting_house h;
  const auto running = h.reboot(), queued = h.reboot();
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  const auto first = h.http.del("/jobs/" + queued);
  CHECK(first.status == 202);
  CHECK(first.job().empty());
  CHECK(text_at(first.body, "Status") == "Error");
  CHECK(text_at(first.body, "Message") == "cancelled");
  const auto second = h.http.del("/jobs/" + running);
  CHECK(second.status == 202);
  CHECK(text_at(second.body, "Message") == "cancelled in stage 1 (Test.Reboot)");
  CHECK(h.http.del("/jobs/" + running).status == 409);
  CHECK(h.http.del("/jobs/nope").status == 404);
  CHECK(h.sub.calls("Test.Reboot").size() == 1);
  h.door.open();
  CHECK(h.outcome(h.reboot()) == "Complete");
}

TEST_CASE("cancelling drops the call to the sub-agent") {
  house h;
  h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  const auto id = h.create_guest();
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  h.http.del("/jobs/" + job);
  for (int i = 0; i < 200 && h.sub.left() == 0; ++i)
    std::this_thread::sleep_for(10ms);
  CHECK(h.sub.left() == 1);
}

TEST_CASE("the same key and request get the first answer again, also after a restart") {
  house h;
  const auto id = h.create_guest();
  for (const auto& [method, path, body] : std::vector<std::tuple<std::string, std::string, std::string>>{
         {"POST", "/guests/" + id + "/reboot", "null"},
         {"POST", "/guests/" + id + "/snapshots", R"({"dest":"s"})"},
         {"POST", "/guests", R"({"memory":1})"},
         {"POST", "/images", R"({"id":"i"})"},
         {"DELETE", "/guests/" + id, ""},
       }) {
    INFO(method << ' ' << path);
    const header_list own{"Idempotency-Key: " + method + path};
    const auto first = h.http.send(method, path, body, own);
    REQUIRE(first.status == 202);
    h.ended(first.job());
    const auto again = h.http.send(method, path, body, own);
    CHECK(again.status == 202);
    CHECK(again.job() == first.job());
    CHECK(again.body == first.body);
    h.agent.kill_and_start();
    const auto later = h.http.send(method, path, body, own);
    CHECK(later.job() == first.job());
    CHECK(later.body == first.body);
  }
}

TEST_CASE("a key that comes with another request is a conflict") {
  house h;
  const auto id = h.create_guest();
  const header_list key{"Idempotency-Key: k"};
  REQUIRE(h.http.send("POST", "/guests/" + id + "/reboot", "", key).status == 202);
  CHECK(h.http.send("POST", "/guests/" + id + "/restart", "", key).status == 409);
  CHECK(h.http.send("POST", "/guests", R"({"memory":2})", key).status == 409);
  CHECK(h.http.send("POST", "/guests/" + id + "/reboot", "", {"Idempotency-Key: " + std::string(256, 'k')}).status ==
        400);
}

TEST_CASE("a request with two keys is refused, also where they are the same, and queues nothing") {
  house h;
  const auto id = h.create_guest();
  const auto before = h.http.get("/guests/" + id + "/jobs").body;
  for (const auto& keys : {header_list{"Idempotency-Key: a", "Idempotency-Key: b"},
                           header_list{"Idempotency-Key: a", "idempotency-key: a"}}) {
    const auto refused = h.http.send("POST", "/guests/" + id + "/reboot", "", keys);
    CHECK(refused.status == 400);
    CHECK(refused.body.find("Idempotency-Key: there is more than one") != std::string::npos);
  }
  CHECK(h.http.get("/guests/" + id + "/jobs").body == before);
  CHECK(h.http.send("POST", "/guests/" + id + "/reboot", "", {"Idempotency-Key: a, b"}).status == 202);
}

TEST_CASE("a forced delete takes the record though its stages fail") {
  house h;
  h.sub.on("Test.Delete", [](const call& c) { return rpc_error(c, R"("no domain")"); });
  const auto id = h.create_guest();
  CHECK(h.outcome(h.http.del("/guests/" + id).job()) == "Error");
  CHECK(h.http.get("/guests/" + id).status == 200);
  CHECK(h.http.del("/guests/" + id + "?force=maybe").status == 400);
  const auto job = h.http.del("/guests/" + id + "?force=true").job();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.message(job) == "forced past: no domain");
  CHECK(h.http.get("/guests/" + id).status == 404);
}

TEST_CASE("a sub-agent that hangs holds up its own calls only, hundreds of them") {
  house h{[](config_file& config) {
    config.services["slow"] = config.services["test"];
    config.stages("cpuMetrics", R"({"service":"slow","method":"Slow.CPU","timeout":2})");
  }};
  h.sub.on("Slow.CPU", [](const call&) { return hang(); });
  const auto stuck = h.create_guest(), other = h.create_guest();
  std::vector<std::future<response>> hanging;
  for (int i = 0; i < 200; ++i)
    hanging.push_back(std::async(std::launch::async, [&] { return h.http.get("/guests/" + stuck + "/metrics/cpu"); }));
  CHECK(h.sub.wait_for("Slow.CPU", 4));
  const auto begin = steady_clock::now();
  CHECK(h.http.get("/guests/" + stuck).status == 200);
  CHECK(h.http.get("/guests/" + other + "/metrics/nic").status == 200);
  CHECK(h.outcome(h.http.post("/guests/" + stuck + "/reboot").job()) == "Complete");
  CHECK(h.outcome(h.http.post("/guests/" + other + "/reboot").job()) == "Complete");
  CHECK(steady_clock::now() - begin < 5s);
  // Some time out at the sub-agent, those behind them while they wait for a place there, or for their guest's turn.
  for (auto& one : hanging) {
    const auto status = one.get().status;
    CHECK((status == 502 || status == 503 || status == 504));
  }
}

TEST_CASE("a key belongs to what is asked, however the path is spelled") {
  house h;
  const auto id = h.create_guest();
  const header_list key{"Idempotency-Key: spelled"};
  auto upper = id;
  for (auto& c : upper)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto first = h.http.send("POST", "/guests/" + id + "/reboot", "", key).job();
  REQUIRE_FALSE(first.empty());
  for (const auto& path : {id + "/reboot/", upper + "/reboot", id + "/reboo%74"}) {
    INFO(path);
    CHECK(h.http.send("POST", "/guests/" + path, "", key).job() == first);
  }
  CHECK(h.http.send("POST", "http://127.0.0.1/guests/" + id + "/reboot", "", key).job() == first);
  CHECK(h.http.send("POST", "/guests/" + id + "/shutdown", "", key).status == 409);
}
