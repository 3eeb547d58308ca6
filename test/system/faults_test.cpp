#include "house.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace mistify::test;

namespace {

std::string brackets(std::size_t n) {
  return std::string(n, '[') + std::string(n, ']');
}

/// What a sub-agent may do wrong in a stage, and the word that the job's message holds.
const std::vector<std::tuple<std::string, script, std::string>> faults{
  {"an error text", [](const call& c) { return rpc_error(c, R"("invalid argument")"); }, "invalid argument"},
  {"an error object", [](const call& c) { return rpc_error(c, R"({"code":-5,"why":"x"})"); },
   R"({"code":-5,"why":"x"})"},
  {"an error number", [](const call& c) { return rpc_error(c, "12345"); }, "12345"},
  {"status 500 with a text", [](const call&) { return http_reply(500, "domain exploded\n"); }, "domain exploded"},
  {"status 404 with a text", [](const call&) { return http_reply(404, "rpc: can't find service"); },
   "rpc: can't find service"},
  {"a status without a text", [](const call&) { return http_reply(503, ""); }, "503"},
  {"a null result", [](const call& c) { return result(c, "null"); }, ""},
  {"no result", [](const call&) { return http_reply(200, R"({"error":null})"); }, ""},
  {"the answer to another call",
   [](const call&) { return http_reply(200, R"({"result":{"snapshots":[]},"error":null,"id":987654321})"); },
   "another call"},
  {"an empty body", [](const call&) { return http_reply(200, ""); }, ""},
  {"no JSON", [](const call&) { return http_reply(200, "<html>sorry</html>"); }, ""},
  {"half the JSON", [](const call&) { return http_reply(200, R"({"result":{"guest":{"id)"); }, ""},
  {"JSON of another kind", [](const call&) { return http_reply(200, "[1,2,3]"); }, ""},
  {"a megabyte of brackets", [](const call&) { return http_reply(200, brackets(500'000)); }, ""},
  {"brackets in the result", [](const call& c) { return result(c, brackets(500'000)); }, ""},
  {"17 MB", [](const call& c) { return result(c, "\"" + std::string(17U << 20U, 'x') + "\""); }, ""},
  {"bytes that are no HTTP", [](const call&) { return raw_reply("\x01\x02 hello\r\n\r\n"); }, ""},
  {"half an answer",
   [](const call&) { return raw_reply("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"result\":"); }, ""},
  {"half a head", [](const call&) { return raw_reply("HTTP/1.1 200 OK\r\nContent-"); }, ""},
  {"hanging up", [](const call&) { return raw_reply(""); }, ""},
  {"no guest", [](const call& c) { return result(c, "{}"); }, ""},
  {"a null guest", [](const call& c) { return result(c, R"({"guest":null})"); }, ""},
  {"the wrong guest", [](const call& c) { return result(c, R"({"guest":{"id":"123456789"}})"); }, ""},
  {"a guest without an id", [](const call& c) { return result(c, R"({"guest":{"state":"x"}})"); }, ""},
  {"a guest that is a list", [](const call& c) { return result(c, R"({"guest":[]})"); }, ""},
  {"a guest of wrong types",
   [](const call& c) { return result(c, R"({"guest":{"id":)" + at(c.params, "guest/id") + R"(,"memory":"much"}})"); },
   "memory"},
};

} // namespace

TEST_CASE("whatever a sub-agent does wrong ends the job with the reason, and the guest stays as it was") {
  house h;
  const auto id = h.create_guest(R"("memory":512,"metadata":{"a":"b"})");
  h.outcome(h.http.post("/guests/" + id + "/reboot").job()); // wished on from here
  const auto before = h.http.get("/guests/" + id).body;
  for (const auto& [fault, does, reason] : faults) {
    INFO(fault);
    h.sub.on("Test.Reboot", does);
    const auto job = h.http.post("/guests/" + id + "/reboot").job();
    CHECK(h.outcome(job) == "Error");
    const auto message = h.message(job);
    INFO(message);
    CHECK_FALSE(message.empty());
    CHECK(message.find(reason) != std::string::npos);
    CHECK(h.http.get("/guests/" + id).body == before);
    CHECK(h.healthy());
  }
  CHECK(h.outcome(h.http.post("/guests/" + id + "/start").job()) == "Complete");
}

TEST_CASE("whatever a sub-agent answers wrongly to a question is a bad gateway") {
  house h;
  const auto id = h.create_guest();
  for (const auto& [fault, does, reason] : faults) {
    // A list without snapshots or with a guest in it is no fault of a list.
    if (fault.find("guest") != std::string::npos)
      continue;
    INFO(fault);
    h.sub.on("Test.ListSnapshots", does);
    const auto answer = h.http.get("/guests/" + id + "/snapshots");
    CHECK(answer.status == 502);
    CHECK(error_message(answer).find(reason) != std::string::npos);
  }
  CHECK(h.healthy());
}

TEST_CASE("a sub-agent that is not there ends the job with an error") {
  house h{[](config_file& c) {
    c.services["absent"] = R"({"port":)" + std::to_string(free_port()) + "}";
    c.stages("reboot", R"({"service":"absent","method":"Test.Reboot"})");
    c.stages("cpuMetrics", R"({"service":"absent","method":"Test.CpuMetrics"})");
  }};
  const auto id = h.create_guest();
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.outcome(job) == "Error");
  CHECK_FALSE(h.message(job).empty());
  CHECK(h.http.get("/guests/" + id + "/metrics/cpu").status == 502);
}

TEST_CASE("a sub-agent that hangs stalls nobody for ever") {
  house h{[](config_file& c) {
    c.stages("reboot", R"({"service":"test","method":"Test.Hang","timeout":0.3})");
    c.stages("cpuMetrics", R"({"service":"test","method":"Test.Hang","timeout":0.3})");
  }};
  h.sub.on("Test.Hang", [](const call&) { return hang(); });
  const auto id = h.create_guest();
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  const auto behind = h.http.post("/guests/" + id + "/start").job();
  CHECK(h.outcome(job) == "Error");
  CHECK_FALSE(h.message(job).empty());
  CHECK(h.outcome(behind) == "Complete");
  const auto metrics = h.http.get("/guests/" + id + "/metrics/cpu");
  CHECK((metrics.status == 502 || metrics.status == 504));
  CHECK_FALSE(error_message(metrics).empty());
  // What is given up is dropped, not left to hang.
  CHECK(eventually([&] { return h.sub.left() == 2; }));
}

TEST_CASE("an answer that comes too late changes nothing") {
  house h{[](config_file& c) { c.stages("reboot", R"({"service":"test","method":"Test.Reboot","timeout":0.2})"); }};
  gate door;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return result(c, R"({"guest":{"id":")" + id + R"(","state":"late"}})");
  });
  const auto job = h.http.post("/guests/" + id + "/reboot").job();
  CHECK(h.outcome(job) == "Error");
  const auto before = h.http.get("/guests/" + id).body;
  door.open();
  CHECK(h.outcome(h.http.post("/guests/" + id + "/start").job()) == "Complete");
  CHECK(h.http.get("/guests/" + id).body == before);
}

TEST_CASE("an agent without a sub-agent's image store says so in the job") {
  house h;
  h.sub.on("Test.FetchImage", [](const call&) { return raw_reply(""); });
  const auto job = h.http.post("/images", R"({"id":"x"})").job();
  CHECK(h.outcome(job) == "Error");
  CHECK_FALSE(h.message(job).empty());
}
