#include "house.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace mistify::test;

namespace {

const std::vector<std::string> actions{"shutdown", "reboot", "restart", "poweroff", "start", "suspend"};

std::string capitalised(std::string word) {
  word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

/// An action may change what the guest is wished to be.
std::string without_wish(std::string guest) {
  for (const auto* wish : {R"("wanted":"on",)", R"("wanted":"off",)"})
    if (const auto at = guest.find(wish); at != std::string::npos)
      guest.erase(at, std::string_view{wish}.size());
  return guest;
}

} // namespace

TEST_CASE("every action is a job by POST and by GET, and answers with the guest as it is") {
  house h;
  const auto id = h.create_guest(R"("memory":512)");
  const auto before = without_wish(h.http.get("/guests/" + id).body);
  for (const auto& action : actions)
    for (const auto* verb : {"POST", "GET"}) {
      INFO(verb << ' ' << action);
      const auto answer = h.http.send(verb, "/guests/" + id + "/" + action);
      CHECK(answer.status == 202);
      CHECK(without_wish(answer.body) == before);
      REQUIRE_FALSE(answer.job().empty());
      const auto job = h.ended(answer.job());
      CHECK(text_at(job, "Status") == "Complete");
      CHECK(text_at(job, "Action") == action);
      CHECK(text_at(job, "GuestID") == id);
    }
  for (const auto& action : actions)
    CHECK(h.sub.calls("Test." + capitalised(action)).size() == 2);
}

TEST_CASE("a body of an action that is no object is not looked at, and broken JSON is refused") {
  house h;
  const auto path = "/guests/" + h.create_guest() + "/reboot";
  for (const auto* body : {"null", "{}", "", "  ", "[]", "\"x\"", "1"})
    CHECK(h.http.post(path, body).status == 202);
  for (const auto* body : {"[[[", "not json", "{"})
    CHECK(h.http.post(path, body).status == 400);
}

TEST_CASE("an action without a pipeline is not configured") {
  house h{[](config_file& c) { c.actions.erase("suspend"); }};
  const auto id = h.create_guest();
  const auto answer = h.http.post("/guests/" + id + "/suspend");
  CHECK(answer.status == 404);
  CHECK(error_message(answer) == "suspend: Not configured");
  CHECK(count(h.http.get("/guests/" + id + "/jobs").body) == 1);
}

TEST_CASE("the config switches the actions by GET off") {
  house h{[](config_file& c) { c.top["http"] = R"({"get_actions":false})"; }};
  const auto path = "/guests/" + h.create_guest() + "/reboot";
  const auto answer = h.http.get(path);
  CHECK((answer.status == 404 || answer.status == 405));
  CHECK_FALSE(error_message(answer).empty());
  CHECK(h.sub.calls("Test.Reboot").empty());
  CHECK(h.http.post(path).status == 202);
}

TEST_CASE("a stage gets the guest, the action and its args, in the envelope of JSON-RPC") {
  house h{[](config_file& c) {
    c.stages("reboot", R"({"service":"test","method":"Test.Reboot","args":{"mode":"hard","a":"1"}})");
  }};
  const auto id = h.create_guest(R"("memory":512)");
  CHECK(h.outcome(h.http.post("/guests/" + id + "/reboot").job()) == "Complete");
  const auto sent = h.sub.calls("Test.Reboot");
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].verb == "POST");
  CHECK(sent[0].path == "/_mistify_RPC_");
  CHECK(sent[0].content_type == "application/json");
  CHECK(sent[0].id.find_first_not_of("0123456789") == std::string::npos);
  CHECK(count(sent[0].body, "params") == 1);
  CHECK(text_at(sent[0].params, "guest/id") == id);
  CHECK(text_at(sent[0].params, "action") == "reboot");
  CHECK(at(sent[0].params, "args") == R"({"a":"1","mode":"hard"})");
}

TEST_CASE("args are left out where the stage has none") {
  house h;
  h.create_guest();
  CHECK(at(h.sub.calls("Test.Create").at(0).params, "args") == "(absent)");
}

TEST_CASE("a service may have a path of its own") {
  house h{[](config_file& c) {
    c.services["test"].pop_back();
    c.services["test"] += R"(,"path":"/elsewhere"})";
  }};
  h.create_guest();
  CHECK(h.sub.calls("Test.Create").at(0).path == "/elsewhere");
}

TEST_CASE("each stage gets what the one before it returned, and the last is stored") {
  house h{[](config_file& c) {
    c.stages("start", R"({"service":"test","method":"Test.One"},{"service":"test","method":"Test.Two"})");
  }};
  const auto id = h.create_guest();
  const auto in_state = [&](const std::string& state) {
    return [=](const call& c) {
      return result(c, R"({"guest":{"id":")" + id + R"(","state":")" + state + R"(","extra":7}})");
    };
  };
  h.sub.on("Test.One", in_state("half"));
  h.sub.on("Test.Two", in_state("running"));
  CHECK(h.outcome(h.http.post("/guests/" + id + "/start").job()) == "Complete");
  CHECK(text_at(h.sub.calls("Test.Two").at(0).params, "guest/state") == "half");
  CHECK(at(h.sub.calls("Test.Two").at(0).params, "guest/extra") == "7");
  CHECK(text_at(h.http.get("/guests/" + id).body, "state") == "running");
}

TEST_CASE("a stage that fails ends the pipeline, and what came before it stays") {
  house h{[](config_file& c) {
    c.stages("start", R"({"service":"test","method":"Test.One"},{"service":"test","method":"Test.Two"},)"
                      R"({"service":"test","method":"Test.Three"})");
  }};
  const auto id = h.create_guest();
  h.sub.on("Test.One", [&](const call& c) { return result(c, R"({"guest":{"id":")" + id + R"(","state":"half"}})"); });
  h.sub.on("Test.Two", [](const call& c) { return rpc_error(c, R"("invalid argument")"); });
  const auto job = h.http.post("/guests/" + id + "/start").job();
  CHECK(h.outcome(job) == "Error");
  CHECK(h.message(job).find("invalid argument") != std::string::npos);
  CHECK(h.sub.calls("Test.Three").empty());
  CHECK(text_at(h.http.get("/guests/" + id).body, "state") == "half");
}

TEST_CASE("a pipeline without stages completes") {
  house h{[](config_file& c) { c.stages("start", ""); }};
  const auto id = h.create_guest();
  CHECK(h.outcome(h.http.post("/guests/" + id + "/start").job()) == "Complete");
}

TEST_CASE("a stage that asks for it runs again while its job is running") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Start", [&](const call& c) {
    const bool first = h.sub.calls("Test.Start").size() == 1;
    return result(c, R"({"guest":)" + at(c.params, "guest") + (first ? R"(,"retry":1})" : "}"));
  });
  const auto job = h.http.post("/guests/" + id + "/start").job();
  CHECK(h.sub.wait_for("Test.Start", 1));
  CHECK(h.becomes(job, "Running"));
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.sub.calls("Test.Start").size() == 2);
}

TEST_CASE("an agent that is told to stop does not wait until a stage is to run again") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Start",
           [](const call& c) { return result(c, R"({"guest":)" + at(c.params, "guest") + R"(,"retry":3600})"); });
  h.http.post("/guests/" + id + "/start");
  REQUIRE(eventually([&] {
    return h.http.get("/debug/actors?patience=1s").body.find("pauses before Test.Start") != std::string::npos;
  }));
  h.agent.running().signal(SIGTERM);
  CHECK(h.agent.running().wait() == 0);
}

TEST_CASE("a stage that asks for ever to be run again fails in the end") {
  house h{[](config_file& c) { c.top["limits"] = R"({"retries":1})"; }};
  const auto id = h.create_guest();
  h.sub.on("Test.Start",
           [](const call& c) { return result(c, R"({"guest":)" + at(c.params, "guest") + R"(,"retry":1})"); });
  CHECK(h.outcome(h.http.post("/guests/" + id + "/start").job()) == "Error");
  CHECK(h.sub.calls("Test.Start").size() == 2);
}

TEST_CASE("actions on a container have names of their own, time after time") {
  house h;
  const auto id = h.create_guest(R"("type":"container")");
  CHECK(text_at(h.sub.calls("Test.ContainerCreate").at(0).params, "action") == "containerCreate");
  for (std::size_t n = 1; n <= 3; ++n) {
    const auto job = h.http.post("/guests/" + id + "/reboot").job();
    CHECK(h.outcome(job) == "Complete");
    CHECK(h.sub.calls("Test.ContainerReboot").size() == n);
    CHECK(text_at(h.sub.calls("Test.ContainerReboot").back().params, "action") == "containerReboot");
  }
  CHECK(h.sub.calls("Test.Reboot").empty());
  CHECK(h.http.get("/guests/" + id + "/metrics/cpu").status == 200);
  CHECK(h.sub.calls("Test.CpuMetrics").size() == 1);
}

TEST_CASE("a container's action without a pipeline is named as it is configured") {
  house h{[](config_file& c) { c.actions.erase("containerReboot"); }};
  const auto id = h.create_guest(R"("type":"container")");
  const auto answer = h.http.post("/guests/" + id + "/reboot");
  CHECK(answer.status == 404);
  CHECK(error_message(answer) == "containerReboot: Not configured");
}
