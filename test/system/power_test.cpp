#include "event_reader.hpp"
#include "house.hpp"
#include "sockets.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <sqlite3.h>

// What actions are asked beside their name, and what the agent does with guests by itself.

using namespace mistify::test;

namespace {

/// Answers `retry` until the test lets the guest go.
script slow(const std::shared_ptr<std::atomic<bool>>& done) {
  return [done](const call& asked) {
    if (*done)
      return echo(asked);
    return result(asked, R"({"guest":)" + at(asked.params, "guest") + R"(,"retry":1})");
  };
}

/// Returns the guest of the call in that state.
script in_state(const std::string& state) {
  return [state](const call& asked) {
    const auto guest = at(asked.params, "guest");
    return result(asked, R"({"guest":{"id":)" + json_string(text_at(guest, "id")) + R"(,"state":")" + state + R"("}})");
  };
}

void with_wait(config_file& c) {
  c.stages("shutdown", R"({"service":"test","method":"Test.Shutdown","args":{"wait":"1"},"idempotent":true})");
}

void with_start_again(config_file& c) {
  c.stages("start", R"({"service":"test","method":"Test.Start","idempotent":true})");
}

/// Waits until the agent has no guest left that it is to start by itself.
bool settles(house& h) {
  return eventually([&] { return at(h.http.get("/debug/actors/power_keeper").body, "queued") == "0"; });
}

/// Makes the database one that was last used in another boot of the host.
void boot_otherwise(const std::string& database) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(database.c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "UPDATE boots SET id = 'another'", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

std::string member(const house& h, const std::string& guest, const std::string& name) {
  return text_at(h.http.get("/guests/" + guest).body, name);
}

} // namespace

TEST_CASE("parameters of an action reach each stage, and belong to what an Idempotency-Key is kept for") {
  house h;
  const auto id = h.create_guest();
  const auto path = "/guests/" + id + "/shutdown";
  CHECK(h.outcome(h.http.post(path, R"({"then":"fail","wait":30})").job()) == "Complete");
  CHECK(at(h.sub.calls("Test.Shutdown").at(0).params, "params") == R"({"wait":30,"then":"fail"})");
  const header_list key{"Idempotency-Key: k"};
  const auto first = h.http.send("POST", path, R"({"wait":30})", key).job();
  CHECK(h.http.send("POST", path, R"( { "wait" : 30 } )", key).job() == first);
  CHECK(h.http.send("POST", path, R"({"wait":31})", key).status == 409);
}

TEST_CASE("a body that is empty, null, no object or the guest itself asks for nothing") {
  house h;
  const auto id = h.create_guest();
  for (const auto& body : {std::string{}, std::string{"null"}, std::string{"[1]"}, std::string{"7"}, std::string{"{}"},
                           R"({"id":")" + id + R"(","wait":"x"})"}) {
    INFO(body);
    CHECK(h.outcome(h.http.post("/guests/" + id + "/start", body).job()) == "Complete");
  }
  for (const auto& one : h.sub.calls("Test.Start"))
    CHECK(one.params.find("params") == std::string::npos);
}

TEST_CASE("a parameter that is null, or such a member of a guest to create, is as one that is absent") {
  house h;
  const auto id = h.create_guest(R"("start":null,"name":null,"labels":null,"power":null,"on_io_error":null)");
  CHECK(h.sub.calls("Test.Start").empty());
  const auto guest = h.http.get("/guests/" + id).body;
  for (const auto* name : {"start", "name", "labels", "power", "on_io_error"}) {
    INFO(name);
    CHECK(guest.find('"' + std::string{name} + '"') == guest.npos);
  }
  const std::pair<const char*, const char*> same[] = {
    {"shutdown", R"({"wait":null})"},
    {"shutdown", R"({"wait":null,"then":null})"},
    {"poweroff", R"({"preempt":null})"},
  };
  for (const auto& [action, body] : same) {
    INFO(action << ' ' << body);
    CHECK(h.outcome(h.http.post("/guests/" + id + '/' + action, body).job()) == "Complete");
  }
  for (const auto* method : {"Test.Shutdown", "Test.Poweroff"})
    for (const auto& one : h.sub.calls(method))
      CHECK(one.params.find("params") == std::string::npos);
  CHECK(h.http.post("/guests/" + id + "/shutdown", R"({"Wait":null})").status == 400);
}

TEST_CASE("a parameter that is wrong, or not the action's, is refused and queues nothing") {
  house h;
  const auto id = h.create_guest();
  const std::pair<const char*, const char*> wrong[] = {
    {"shutdown", "{"},
    {"shutdown", R"({"wait":"30"})"},
    {"shutdown", R"({"wait":-1})"},
    {"shutdown", R"({"wait":1.5})"},
    {"shutdown", R"({"wait":30,"wait":null})"},
    {"shutdown", R"({"wait":86401})"},
    {"shutdown", R"({"Wait":1})"},
    {"shutdown", R"({"wait":1,"then":"start"})"},
    {"shutdown", R"({"then":"fail"})"},
    {"shutdown", R"({"preempt":true})"},
    {"poweroff", R"({"preempt":1})"},
    {"poweroff", R"({"wait":1})"},
    {"start", R"({"wait":1})"},
    {"reboot", R"({"id":"other","wait":1})"},
    {"start?preempt=true", ""},
    {"poweroff?preempt=maybe", ""},
    {"poweroff?force=true", ""},
  };
  for (const auto& [action, body] : wrong) {
    INFO(action << ' ' << body);
    CHECK(h.http.post("/guests/" + id + '/' + action, body).status == 400);
  }
  CHECK(h.http.send("DELETE", "/guests/" + id, R"({"wait":1})").status == 400);
  CHECK(h.sub.calls("Test.Shutdown").empty());
}

TEST_CASE("query parameters that a route does not know are refused everywhere, but not by what pprof asks") {
  house h;
  const auto id = h.create_guest();
  for (const auto& path : {std::string{"/guests?x=1"}, "/guests/" + id + "?fields=id", std::string{"/jobs?Limit=1"},
                           std::string{"/metadata?a"}, std::string{"/healthz?x"}, std::string{"/metrics?x"}}) {
    INFO(path);
    CHECK(h.http.get(path).status == 400);
  }
  CHECK(h.http.get("/no-such-route?x=1").status == 404);
  CHECK(h.http.get("/debug/pprof/cmdline?debug=1").status == 200);
  CHECK(error_message(h.http.get("/jobs?x=1")) == "x: is no query parameter of this route");
  CHECK(error_message(h.http.get("/jobs?limit=1&limit=2")) == "limit: is given twice");
  CHECK(h.http.get("/guests/g/nothing?x=1").status == 404); // there is no such action
}

TEST_CASE("jobs are listed by status, action, guest, code and time") {
  house h;
  h.sub.on("Test.Reboot",
           [](const call& asked) { return rpc_error(asked, R"({"code":"no_space","message":"the pool is full"})"); });
  const auto id = h.create_guest();
  const auto failed = h.http.post("/guests/" + id + "/reboot").job();
  const auto job = h.ended(failed);
  CHECK(text_at(job, "Code") == "no_space");
  CHECK(text_at(job, "Message") == "the pool is full");
  CHECK(at(job, "Retryable") == "true");
  CHECK(text_at(job, "Stage/method") == "Test.Reboot");
  CHECK_FALSE(text_at(job, "RequestID").empty());
  for (const auto& query : {std::string{"code=no_space"}, std::string{"status=Error&action=reboot"},
                            "guest=" + id + "&code=no_space", "since=" + text_at(job, "QueuedAt") + "&limit=1"}) {
    INFO(query);
    const auto list = h.http.get("/jobs?" + query).body;
    CHECK(list.find(failed) != std::string::npos);
    CHECK(list.find("create") == std::string::npos);
  }
  CHECK(h.http.get("/guests/" + id + "/jobs?status=Queued").body == "[]\n");
  CHECK(h.http.get("/jobs?before=" + text_at(job, "QueuedAt")).body.find(failed) == std::string::npos);
  for (const auto* wrong : {"status=error", "code=bad", "since=today", "before="}) {
    INFO(wrong);
    CHECK(h.http.get(std::string{"/jobs?"} + wrong).status == 400);
  }
  const auto stages = at(h.http.get("/jobs/" + failed + "?stages=true").body, "Stages");
  CHECK(stages.find(R"("outcome":"error")") != std::string::npos);
}

TEST_CASE("a poweroff that preempts ends what runs and what waits, and runs itself") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  const auto runs = h.http.post("/guests/" + id + "/reboot").job();
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  const auto waits = h.http.post("/guests/" + id + "/start").job();
  const auto off = h.http.post("/guests/" + id + "/poweroff", R"({"preempt":true})").job();
  for (const auto& job : {runs, waits}) {
    const auto ended = h.ended(job);
    CHECK(text_at(ended, "Status") == "Error");
    CHECK(text_at(ended, "Code") == "preempted");
  }
  CHECK(h.outcome(off) == "Complete");
  CHECK(h.sub.calls("Test.Start").empty());
  CHECK(member(h, id, "wanted") == "off");
  CHECK(h.healthy());
}

TEST_CASE("a second delete that preempts gets through behind the first one's job") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  const auto runs = h.http.post("/guests/" + id + "/reboot").job();
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  const auto first = h.http.del("/guests/" + id).job();
  CHECK(h.http.del("/guests/" + id + "?preempt=true").job() == first);
  CHECK(text_at(h.ended(runs), "Code") == "preempted");
  CHECK(h.outcome(first) == "Complete");
  CHECK(h.http.get("/guests/" + id).status == 404);
}

TEST_CASE("a shutdown that the guest ignores ends in a poweroff, in the same job") {
  house h{with_wait};
  const auto id = h.create_guest();
  h.sub.on("Test.Shutdown", slow(std::make_shared<std::atomic<bool>>(false)));
  h.sub.on("Test.Poweroff", in_state("shutoff"));
  const auto job = h.ended(h.http.post("/guests/" + id + "/shutdown").job());
  CHECK(text_at(job, "Status") == "Complete");
  CHECK(text_at(job, "Message") == "Test.Shutdown was not done within 1 s: powered off");
  CHECK(text_at(job, "Stage/method") == "Test.Poweroff");
  CHECK(at(h.sub.calls("Test.Shutdown").at(1).params, "again") == "true");
  CHECK(member(h, id, "state") == "shutoff");
}

TEST_CASE("a shutdown that is killed goes on after the restart, without pressing again, and keeps its deadline") {
  house h{with_wait};
  const auto id = h.create_guest();
  h.sub.on("Test.Shutdown", slow(std::make_shared<std::atomic<bool>>(false)));
  h.sub.on("Test.Poweroff", in_state("shutoff"));
  const auto job = h.http.post("/guests/" + id + "/shutdown", R"({"wait":3})").job();
  REQUIRE(h.sub.wait_for("Test.Shutdown", 2)); // the first one was answered
  h.agent.kill_and_start();
  CHECK(h.outcome(job) == "Complete");
  const auto calls = h.sub.calls("Test.Shutdown");
  REQUIRE(calls.size() > 2);
  for (std::size_t i = 1; i < calls.size(); ++i)
    CHECK(at(calls[i].params, "again") == "true");
  CHECK(member(h, id, "state") == "shutoff");
}

TEST_CASE("a shutdown that is killed in its first call, which may never have arrived, presses after the restart") {
  house h{with_wait};
  const auto id = h.create_guest();
  h.sub.on("Test.Shutdown", [](const call&) { return hang(); });
  const auto job = h.http.post("/guests/" + id + "/shutdown", R"({"wait":30})").job();
  REQUIRE(h.sub.wait_for("Test.Shutdown", 1));
  h.sub.on("Test.Shutdown", in_state("shutoff"));
  h.agent.kill_and_start();
  CHECK(h.outcome(job) == "Complete");
  CHECK(at(h.sub.calls("Test.Shutdown").at(1).params, "again") == "(absent)");
}

TEST_CASE("a shutdown that is killed while it powers off goes on with that") {
  house h{[](config_file& c) {
    with_wait(c);
    c.stages("poweroff", R"({"service":"test","method":"Test.Poweroff","idempotent":true})");
  }};
  const auto id = h.create_guest();
  h.sub.on("Test.Shutdown", slow(std::make_shared<std::atomic<bool>>(false)));
  h.sub.on("Test.Poweroff", [](const call&) { return hang(); });
  const auto job = h.http.post("/guests/" + id + "/shutdown").job();
  REQUIRE(h.sub.wait_for("Test.Poweroff", 1));
  const auto pressed = h.sub.calls("Test.Shutdown").size();
  h.sub.on("Test.Poweroff", in_state("shutoff"));
  h.agent.kill_and_start();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.sub.calls("Test.Shutdown").size() == pressed);
}

TEST_CASE("a create with start queues the start in the commit that completes it, also after a kill") {
  house h;
  h.sub.on("Test.Create", [](const call&) { return hang(); });
  const auto id = std::string{"33333333-3333-3333-3333-333333333333"};
  const auto created = h.http.post("/guests", R"({"id":")" + id + R"(","start":true})");
  CHECK(at(created.body, "start") == "(absent)");
  CHECK(text_at(created.body, "wanted") == "on");
  h.http.del("/jobs/" + created.job());
  CHECK(h.sub.calls("Test.Start").empty());
  h.http.del("/guests/" + id);

  house other{with_start_again};
  other.sub.on("Test.Start", [](const call&) { return hang(); });
  const auto job = other.http.post("/guests", R"({"id":")" + id + R"(","start":true})").job();
  CHECK(other.outcome(job) == "Complete");
  other.sub.on("Test.Start", in_state("running"));
  other.agent.kill_and_start();
  const auto starts = elements(other.http.get("/guests/" + id + "/jobs?action=start").body);
  REQUIRE(starts.size() == 1);
  CHECK(other.outcome(text_at(starts[0], "ID")) == "Complete");
  CHECK(member(other, id, "state") == "running");
  CHECK(other.http.post("/guests", R"({"start":1})").status == 400);
}

TEST_CASE("a poweroff that is accepted while a create with start runs has the last word") {
  house h;
  const auto done = std::make_shared<std::atomic<bool>>(false);
  h.sub.on("Test.Create", slow(done));
  const auto id = std::string{"33333333-3333-3333-3333-333333333333"};
  const auto create = h.http.post("/guests", R"({"id":")" + id + R"(","start":true})").job();
  REQUIRE(h.sub.wait_for("Test.Create", 1));
  const auto off = h.http.post("/guests/" + id + "/poweroff").job();
  *done = true;
  CHECK(h.outcome(create) == "Complete");
  CHECK(h.outcome(off) == "Complete");
  CHECK(h.http.get("/guests/" + id + "/jobs?action=start").body == "[]\n");
  CHECK(member(h, id, "wanted") == "off");
}

TEST_CASE("a guest is wished off from its create on, unless it is to start") {
  house h;
  const auto created = h.http.post("/guests", "{}");
  CHECK(text_at(created.body, "wanted") == "off");
  CHECK(h.outcome(created.job()) == "Complete");
  CHECK(member(h, text_at(created.body, "id"), "wanted") == "off");
}

TEST_CASE("members of power are checked") {
  house h;
  for (const auto* power :
       {R"("on")", R"({"boot":"yes"})", R"({"restart":"on_crash"})", R"({"max":0})", R"({"max":1.5})",
        R"({"within":0})", R"({"delay":-1})", R"({"order":"1"})", R"({"Boot":"on"})", R"({"x":1})"}) {
    INFO(power);
    CHECK(h.http.post("/guests", std::string{R"({"power":)"} + power + "}").status == 400);
  }
  CHECK(h.http.post("/guests", R"({"on_io_error":"wait"})").status == 400);
  h.create_guest(
    R"("power":{"boot":"on","restart":"always","max":1,"within":1,"order":-1,"delay":1},"on_io_error":"stay")");
}

TEST_CASE("a guest that crashes is started again by its policy, and says why it was down") {
  house h;
  h.sub.on("Test.Create", in_state("running"));
  h.sub.on("Test.Start", in_state("running"));
  const auto id = h.create_guest(R"("power":{"restart":"on-crash","max":1})");
  CHECK(member(h, id, "wanted") == "on");
  event_reader events{h.agent.port()};
  const auto report = [&](const std::string& body) { return h.http.put("/guests/" + id + "/state", body).status; };
  REQUIRE(report(R"({"state":"crashed","state_reason":"panic"})") == 200);
  CHECK(member(h, id, "state_reason") == "panic");
  REQUIRE(h.sub.wait_for("Test.Start", 1));
  const auto jobs = h.http.get("/guests/" + id + "/jobs?action=start").body;
  CHECK(jobs.find(R"("User":"agent")") != std::string::npos);
  // Refused until the start has ended.
  REQUIRE(eventually([&] { return report(R"({"state":"crashed","state_reason":"killed"})") == 200; }));
  const auto told = events.until("guest.power");
  REQUIRE_FALSE(told.empty());
  CHECK(text_at(told.back().data, "message") == "stays off: 1 restarts within 600 s");
  CHECK(h.sub.calls("Test.Start").size() == 1);
  CHECK(member(h, id, "state") == "crashed");
}

TEST_CASE("reports say why a guest is in its state, in at most 64 bytes") {
  house h;
  const auto id = h.create_guest();
  const auto path = "/guests/" + id + "/state";
  CHECK(h.http.put(path, R"({"state":"paused","state_reason":"io-error:ENOSPC:vda"})").status == 200);
  CHECK(member(h, id, "state_reason") == "io-error:ENOSPC:vda");
  CHECK(h.http.put(path, R"({"state":"running"})").status == 200);
  CHECK(member(h, id, "state_reason") == "(absent)");
  CHECK(h.http.put(path, R"({"state":"paused","state_reason":")" + std::string(65, 'x') + "\"}").status == 400);
  CHECK(h.http.put(path, R"({"state":"paused","state_reason":"a\nb"})").status == 400);
}

TEST_CASE("a new boot of the host starts the guests that were wished on, in order; an agent's restart does not") {
  house h;
  h.sub.on("Test.Create", in_state("running"));
  const auto second = h.create_guest(R"("power":{"order":2})");
  const auto first = h.create_guest(R"("power":{"order":1})");
  const auto off = h.create_guest(R"("power":{"boot":"off"})");
  h.agent.kill_and_start();
  CHECK(settles(h));
  CHECK(h.sub.calls("Test.Start").empty());
  h.agent.stop();
  boot_otherwise(h.agent.database());
  h.agent.start();
  REQUIRE(settles(h));
  const auto calls = h.sub.calls("Test.Start");
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].params.find(first) != std::string::npos);
  CHECK(calls[1].params.find(second) != std::string::npos);
  CHECK(member(h, off, "wanted") == "off");
  h.agent.kill_and_start();
  CHECK(settles(h));
  CHECK(h.sub.calls("Test.Start").size() == 2);
}

TEST_CASE("a start by the boot whose agent is killed is made once more, and the others follow") {
  house h{with_start_again};
  h.sub.on("Test.Create", in_state("running"));
  const auto first = h.create_guest(R"("power":{"order":1})");
  const auto second = h.create_guest(R"("power":{"order":2})");
  h.agent.stop();
  boot_otherwise(h.agent.database());
  h.sub.on("Test.Start", [](const call&) { return hang(); });
  h.agent.start();
  REQUIRE(h.sub.wait_for("Test.Start", 1));
  h.sub.on("Test.Start", in_state("running"));
  h.agent.kill_and_start();
  REQUIRE(settles(h));
  for (const auto& id : {first, second})
    CHECK(count(h.http.get("/guests/" + id + "/jobs?action=start&status=Complete").body) == 1);
}

TEST_CASE("stop-guests shuts guests down in order, and what they are wished to be stays") {
  house h;
  for (const auto* method : {"Test.Create", "Test.Start"})
    h.sub.on(method, in_state("running"));
  h.sub.on("Test.Shutdown", in_state("shutoff"));
  const auto first = h.create_guest(R"("power":{"order":1})");
  const auto second = h.create_guest(R"("power":{"order":2})");
  const auto done = run_agent({"stop-guests", "--agent", "http://127.0.0.1:" + std::to_string(h.http.port())});
  CHECK(done.code == 0);
  const auto calls = h.sub.calls("Test.Shutdown");
  REQUIRE(calls.size() == 2);
  // A record whose power was lost with the guest that the stage returned would have no order.
  CHECK(calls[0].params.find(second) != std::string::npos);
  CHECK(calls[1].params.find(first) != std::string::npos);
  CHECK(member(h, first, "wanted") == "on");
  CHECK(member(h, first, "state") == "shutoff");
  CHECK(run_agent({"stop-guests", "--agent", "http://127.0.0.1:1"}).code == 1);
}
