#include "actors/runner/pipeline.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using actors::pipeline;

namespace {

actors::action_ptr make_action(std::string_view name, std::vector<actors::stage> stages) {
  return std::make_shared<actors::action>(actors::action{actors::find_action_kind(name), std::move(stages)});
}

actors::stage call(std::string method, rpc::metadata_map args = {}) {
  actors::stage s;
  s.service = "s";
  s.method = std::move(method);
  s.args = std::move(args);
  return s;
}

const auto json = rpc::json::document::parse;

std::string message_of(pipeline& run, const std::string& answer) {
  try {
    run.accept(json(answer), "g");
  } catch (const rpc::failure& e) {
    CHECK(e.code() == rpc::errc::sub_agent_failed);
    return e.message();
  }
  return "no error";
}

} // namespace

TEST_CASE("a guest action goes from stage to stage and hands on what each returned") {
  pipeline run{make_action("containerReboot", {call("T.Stop", {{"how", "hard"}}), call("T.Start")}), "", 3};
  CHECK(run.label() == "stage 1 (T.Stop)");
  CHECK(run.params(R"({"id":"g"})") == R"({"guest":{"id":"g"},"action":"containerReboot","args":{"how":"hard"}})");
  const auto first = run.accept(json(R"({"guest":{"id":"g","state":"stopped"}})"), "g");
  REQUIRE(first.returned);
  CHECK(first.returned->state == "stopped");
  CHECK_FALSE(first.retry);
  CHECK(run.label() == "stage 2 (T.Start)");
  CHECK(run.params("{}") == R"({"guest":{},"action":"containerReboot"})");
  run.accept(json(R"({"guest":{"id":"g"}})"), "g");
  CHECK(run.finished());
}

TEST_CASE("a stage that returns no guest or another one ends the pipeline") {
  pipeline run{make_action("reboot", {call("T.Reboot")}), "", 3};
  CHECK(message_of(run, "{}") == "the sub-agent returned no guest");
  CHECK(message_of(run, R"({"guest":null})") == "the sub-agent returned no guest");
  CHECK(message_of(run, R"({"guest":{"id":"other"}})") == "the sub-agent returned another guest: \"other\"");
  CHECK(message_of(run, R"({"guest":{}})") == "the sub-agent returned another guest: \"\"");
  CHECK(run.index() == 0);
}

TEST_CASE("an id in other letters' case is the same guest, and stays as it is stored") {
  pipeline run{make_action("reboot", {call("T.Reboot")}), "", 3};
  const auto done = run.accept(json(R"({"guest":{"id":"ABCDEF00-0000-0000-0000-00000000000F"}})"),
                               "abcdef00-0000-0000-0000-00000000000f");
  REQUIRE(done.returned);
  CHECK(done.returned->id == "abcdef00-0000-0000-0000-00000000000f");
}

TEST_CASE("a stage whose answer turned out to be of no use is the current one again") {
  pipeline run{make_action("reboot", {call("T.Stop"), call("T.Start")}), "", 3};
  run.accept(json(R"({"guest":{"id":"g"}})"), "g");
  run.step_back();
  CHECK(run.label() == "stage 1 (T.Stop)");
}

TEST_CASE("a retry runs the same stage again, a bounded number of times") {
  pipeline run{make_action("reboot", {call("T.Reboot")}), "", 2};
  CHECK(run.accept(json(R"({"retry":5})"), "g").retry == std::chrono::seconds{5});
  CHECK(run.accept(json(R"({"retry":18446744073709551615})"), "g").retry == std::chrono::hours{24});
  CHECK(message_of(run, R"({"retry":5})") == "the sub-agent asked for more than 2 retries");
  run.accept(json(R"({"guest":{"id":"g"},"retry":0})"), "g");
  CHECK(run.finished());
}

TEST_CASE("stages that change a guest are sent the whole wish, which asks for nothing else") {
  pipeline run{make_action("detachDisk", {call("T.Detach", {{"x", "y"}})}),
               R"({"disk":1,"force":true,"start":true,"params":{"wait":5}})", 1};
  CHECK_FALSE(run.wish().force);
  CHECK_FALSE(run.wish().start);
  CHECK_FALSE(run.wish().wait);
  const std::string sent =
    R"({"guest":{"id":"g"},"action":"detachDisk","args":{"x":"y"},"params":{"disk":1,"force":true,"start":true,"params":{"wait":5}})";
  CHECK(run.params(R"({"id":"g"})") == sent + "}");
  run.accept(json(R"({"retry":1})"), "g");
  CHECK(run.params(R"({"id":"g"})") == sent + R"(,"again":true})");
}

TEST_CASE("metrics stages are told the guest and the type") {
  pipeline run{make_action("cpuMetrics", {call("T.CPU", {{"a", "b"}})}), "", 0};
  CHECK(run.params(R"({"id":"g"})") == R"({"guest":{"id":"g"},"type":"cpu","args":{"a":"b"}})");
  run.accept(json(R"({"cpu":[]})"), "g");
  CHECK(std::move(run).take_result().root().text() == R"({"cpu":[]})");
}

TEST_CASE("image and snapshot stages all get the same request, with their args") {
  pipeline run{make_action("fetchImage", {call("T.A"), call("T.B", {{"x", "y"}})}), R"({"id":"i"})", 0};
  CHECK(run.params("") == R"({"id":"i"})");
  run.accept(json(R"({"images":[]})"), "agent");
  CHECK(run.params("") == R"({"id":"i","args":{"x":"y"}})");
}

TEST_CASE("a pipeline without stages is finished at once") {
  CHECK(pipeline{make_action("suspend", {}), "", 0}.finished());
}

TEST_CASE("a pipeline can begin where it was after a restart") {
  pipeline run{make_action("reboot", {call("T.Stop"), call("T.Start")}), "", 0, {1}};
  CHECK(run.current().method == "T.Start");
}

TEST_CASE("a pipeline without stages is finished, with nothing in its result") {
  pipeline run{make_action("listImages", {}), R"({"id":""})", 0};
  CHECK(run.finished());
  CHECK(std::move(run).take_result().root().text() == "{}");
}
