#include "actors/runner/job_run.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::actors;
using namespace std::chrono_literals;

namespace {

const std::string guest_id = "44444444-4444-4444-4444-444444444444";
const auto again_please = rpc::json::document::parse(R"({"guest":{"id":")" + guest_id + R"("},"retry":7})");
const auto done = rpc::json::document::parse(R"({"guest":{"id":")" + guest_id + R"("}})");

/// A shutdown or reboot with the wish of a client, the test being the log and the clock.
struct late_fixture {
  const config settings = parse_config({{"test", R"({"services":{"a":{"port":1}},"actions":{
    "shutdown":{"stages":[{"service":"a","method":"T.Shutdown","args":{"wait":"60"}},{"service":"a","method":"T.After"}]},
    "reboot":{"stages":[{"service":"a","method":"T.Reboot"}]},
    "poweroff":{"stages":[{"service":"a","method":"T.Off"}]},
    "start":{"stages":[{"service":"a","method":"T.Start"}]}}})"}});
  rpc::host_time now{"boot-1", 1000s};
  std::optional<job_run> run;

  void begin(std::string_view action, const std::string& wish = {}, pipeline_place at = {}) {
    const auto what = settings.find_action(action);
    const auto find = [this](std::string_view name) { return settings.find_action(name); };
    run.emplace(job_run::job{"j", guest_id, pipeline{what, wish, 2, at, follow_ups(*what->kind, find)}, false, false,
                             false, [this] { return now; }},
                [](const stage&, const place_ptr&) { return place_ptr{}; });
  }

  static store::job_step step(job_run::commands all) {
    REQUIRE(all.size() == 1);
    REQUIRE(std::holds_alternative<job_run::save>(all.front()));
    return std::get<job_run::save>(std::move(all.front())).step;
  }
  /// The log takes the step; returns the request of the call that follows.
  std::string call(const store::job_step& taken) {
    auto all = run->recorded(taken, {});
    REQUIRE(all.size() == 1);
    return std::get<job_run::call>(all.front()).request;
  }
  /// Takes a pause and returns its length and the next request.
  std::pair<std::chrono::milliseconds, std::string> pause(const store::job_step& taken) {
    auto wait = run->recorded(taken, {});
    const auto length = std::get<job_run::wait>(wait.at(0)).length;
    return {length, call(step(run->resumed()))};
  }
  static const store::stage_starts& starts(const store::job_step& of) { return std::get<store::stage_starts>(of.next); }
};

} // namespace

TEST_CASE_METHOD(late_fixture, "a stage that has its time is repeated beyond limits.retries, and told that it is") {
  begin("shutdown", R"({"params":{"wait":30}})");
  const auto first = step(run->begin());
  CHECK(starts(first).due.since == 1030s);
  CHECK(starts(first).due.boot == "boot-1");
  CHECK(call(first).find("again") == std::string::npos);
  for (int i = 0; i < 4; ++i) { // limits.retries is 2
    const auto [length, request] = pause(step(run->answered(again_please)));
    CHECK(length == 7s);
    CHECK(request.find(R"("params":{"wait":30},"again":true)") != std::string::npos);
    now.since += 7s;
  }
  const auto [length, request] = pause(step(run->answered(again_please)));
  CHECK(length == 2s); // what is left
  const auto next = step(run->answered(done));
  CHECK(starts(next).name == "T.After");
}

TEST_CASE_METHOD(late_fixture, "a shutdown that is late goes on with the stages of poweroff in the same job") {
  begin("shutdown");
  call(step(run->begin()));
  now.since += 60s;
  const auto late = step(run->answered(again_please));
  CHECK(late.timed_out);
  CHECK(late.skipped_because == "T.Shutdown was not done within 60 s: powered off");
  CHECK(starts(late).name == "T.Off");
  CHECK(starts(late).index == 1);
  CHECK(starts(late).detour == 1);
  CHECK(starts(late).of == 2);
  CHECK(call(late).find(R"("action":"poweroff"})") != std::string::npos); // without the shutdown's args and params
  const auto end = std::get<store::job_ends>(step(run->answered(done)).next);
  CHECK(end.status == rpc::job_status::complete);
  CHECK(end.message == "T.Shutdown was not done within 60 s: powered off");
}

TEST_CASE_METHOD(late_fixture, "a reboot that is late is powered off and started") {
  begin("reboot", R"({"params":{"wait":1,"then":"poweroff"}})");
  call(step(run->begin()));
  now.since += 1s;
  const auto late = step(run->answered(again_please));
  CHECK(starts(late).name == "T.Off");
  call(late);
  const auto start = step(run->answered(done));
  CHECK(starts(start).name == "T.Start");
  CHECK(starts(start).index == 2);
}

TEST_CASE_METHOD(late_fixture, "a late stage that is to fail ends the job by a timeout") {
  begin("shutdown", R"({"params":{"wait":5,"then":"fail"}})");
  call(step(run->begin()));
  now.since += 5s;
  const auto end = std::get<store::job_ends>(step(run->answered(again_please)).next);
  CHECK(end.status == rpc::job_status::error);
  CHECK(end.code == rpc::job_code::timeout);
  CHECK(end.message == "T.Shutdown was not done within 5 s");
}

TEST_CASE_METHOD(late_fixture, "a call that does not answer within the stage's time is given up, and so is the stage") {
  begin("shutdown", R"({"params":{"wait":2}})");
  const auto calls = run->recorded(step(run->begin()), {});
  CHECK(std::get<job_run::call>(calls.at(0)).timeout == 7s); // with the grace
  now.since += 7s;
  const auto late = step(run->failed({rpc::errc::sub_agent_timeout, "no answer within 7 s"}));
  CHECK(late.timed_out);
  CHECK(starts(late).name == "T.Off");
}

TEST_CASE_METHOD(late_fixture, "a call that does not answer ends a job that is to fail then") {
  begin("shutdown", R"({"params":{"wait":2,"then":"fail"}})");
  call(step(run->begin()));
  now.since += 7s;
  const auto end = std::get<store::job_ends>(step(run->failed({rpc::errc::sub_agent_timeout, "no answer"})).next);
  CHECK(end.code == rpc::job_code::timeout);
  CHECK(end.message == "T.Shutdown was not done within 2 s");
}

TEST_CASE_METHOD(late_fixture, "a call that fails, or whose own time-out is over before, is no end of the wait") {
  begin("shutdown", R"({"params":{"wait":2}})");
  call(step(run->begin()));
  now.since += 1s;
  const auto end = std::get<store::job_ends>(step(run->failed({rpc::errc::sub_agent_timeout, "no answer"})).next);
  CHECK(end.message == "no answer");
}

TEST_CASE_METHOD(late_fixture, "time that was to end while the agent was away, or in another boot, is over") {
  for (const auto* boot : {"boot-1", "boot-0"}) {
    INFO(boot);
    begin("shutdown", R"({"params":{"wait":5}})", {0, 0, {boot, boot == std::string{"boot-1"} ? 1000s : 9000s}, true});
    CHECK(call(step(run->begin())).find(R"("again":true)") != std::string::npos);
    CHECK(step(run->answered(again_please)).timed_out);
  }
}

TEST_CASE_METHOD(late_fixture, "a stage whose first call may never have arrived is called anew, within the same time") {
  begin("shutdown", R"({"params":{"wait":5}})", {0, 0, {"boot-1", 1003s}, false, true});
  const auto first = step(run->begin());
  CHECK(starts(first).due.since == 1003s);
  CHECK(call(first).find("again") == std::string::npos);
  const auto [length, request] = pause(step(run->answered(again_please)));
  CHECK(length == 3s);
  CHECK(request.find(R"("again":true)") != std::string::npos);
}

TEST_CASE_METHOD(late_fixture, "a job that was powering off when the agent ended goes on with that") {
  begin("shutdown", {}, {1, 1});
  CHECK(starts(step(run->begin())).name == "T.Off");
}

TEST_CASE_METHOD(late_fixture, "without a wait a reboot may ask only as often as limits.retries says") {
  begin("reboot");
  const auto first = step(run->begin());
  CHECK_FALSE(starts(first).due.is_set());
  call(first);
  pause(step(run->answered(again_please)));
  pause(step(run->answered(again_please)));
  const auto end = std::get<store::job_ends>(step(run->answered(again_please)).next);
  CHECK(end.code == rpc::job_code::failed);
}

TEST_CASE_METHOD(late_fixture, "a run that the log has ended beside another step drops its call and is over") {
  begin("reboot");
  call(step(run->begin()));
  const auto all = run->ended();
  REQUIRE(all.size() == 2);
  CHECK(std::holds_alternative<job_run::drop>(all[0]));
  CHECK_FALSE(std::get<job_run::finish>(all[1]).how);
  CHECK(run->is<job_run::over>());
}

TEST_CASE_METHOD(late_fixture, "a connection that is lost when the stage's time is over does not keep the guest on") {
  begin("shutdown", R"({"params":{"wait":5}})");
  call(step(run->begin()));
  const rpc::failure lost{rpc::errc::sub_agent_unreachable, "the connection was closed"};
  SECTION("it is over") {
    now.since += 5s;
    const auto late = step(run->failed(lost));
    CHECK(late.timed_out);
    CHECK(starts(late).name == "T.Off");
    call(late);
    const auto end = std::get<store::job_ends>(step(run->failed(lost)).next);
    CHECK(end.code == rpc::job_code::unreachable); // of the poweroff
  }
  SECTION("it is not") {
    now.since += 4s;
    CHECK(std::get<store::job_ends>(step(run->failed(lost)).next).code == rpc::job_code::unreachable);
  }
}

TEST_CASE_METHOD(late_fixture, "a connection that is lost late ends a job that is to fail by a timeout") {
  begin("shutdown", R"({"params":{"wait":5,"then":"fail"}})");
  call(step(run->begin()));
  now.since += 5s;
  const auto end =
    std::get<store::job_ends>(step(run->failed({rpc::errc::sub_agent_unreachable, "the connection was closed"})).next);
  CHECK(end.code == rpc::job_code::timeout);
}
