#include "house.hpp"
#include "log_lines.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace mistify::test;

namespace {

/// The audit lines with these fields, once there are any.
std::vector<std::string> audit(const house& h, log_fields with) {
  with.emplace_back("level", "audit");
  std::vector<std::string> found;
  eventually([&] { return !(found = log_lines(h.agent, with)).empty(); });
  return found;
}

} // namespace

TEST_CASE("a change is audited when it is accepted and when its job ends: who, what, which guest and job") {
  house h;
  h.agent.stop();
  h.agent.start("fatal");
  const auto made = h.http.send("POST", "/guests", "{}", {"User-Agent: controller/1", "X-Request-ID: c-1"});
  const auto guest = text_at(made.body, "id");
  CHECK(h.outcome(made.job()) == "Complete");
  const auto accepted = audit(h, {{"msg", "change"}, {"request_id", "c-1"}});
  REQUIRE(accepted.size() == 1);
  const auto& line = accepted[0];
  CHECK(text_at(line, "peer") == "127.0.0.1");
  CHECK(text_at(line, "user_agent") == "controller/1");
  CHECK(text_at(line, "method") == "POST");
  CHECK(text_at(line, "path") == "/guests");
  CHECK(text_at(line, "guest") == guest);
  CHECK(text_at(line, "job") == made.job());
  CHECK(text_at(line, "action") == "create");
  CHECK(text_at(line, "status") == "202");
  CHECK(text_at(line, "outcome") == "accepted");
  const auto ended = audit(h, {{"msg", "job ended"}, {"job", made.job()}});
  REQUIRE(ended.size() == 1);
  CHECK(text_at(ended[0], "outcome") == "complete");
  CHECK(text_at(ended[0], "guest") == guest);
  CHECK(text_at(ended[0], "request_id") == "c-1");
  CHECK(log_lines(h.agent, {{"level", "info"}, {"job", made.job()}}).empty());
}

TEST_CASE("a change that is refused is audited with the status, and one without a job too") {
  house h;
  const auto guest = h.create_guest();
  h.http.post("/guests/" + guest + "/snapshots", "{");
  const auto refused = audit(h, {{"outcome", "refused"}, {"guest", guest}});
  REQUIRE(refused.size() == 1);
  CHECK(text_at(refused[0], "status") == "400");
  CHECK(at(refused[0], "job") == "(absent)");
  h.http.patch("/metadata", R"({"rack":"7"})");
  CHECK(audit(h, {{"path", "/metadata"}, {"outcome", "accepted"}, {"status", "200"}}).size() == 1);
  h.http.patch("/guests/" + guest + "/metadata", R"({"a":"b"})");
  CHECK(audit(h, {{"path", "/guests/" + guest + "/metadata"}, {"guest", guest}}).size() == 1);
  h.http.get("/guests/" + guest);
  CHECK(log_lines(h.agent, {{"path", "/guests/" + guest}}).empty());
}

TEST_CASE("the audit tells a repeated request and the ways in which jobs end") {
  house h;
  gate door;
  const auto guest = h.create_guest();
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return rpc_error(c, R"("too hot")");
  });
  const auto path = "/guests/" + guest + "/reboot";
  const auto failing = h.http.send("POST", path, "", {"Idempotency-Key: k"}).job();
  CHECK(h.http.send("POST", path, "", {"Idempotency-Key: k"}).job() == failing);
  CHECK(audit(h, {{"outcome", "repeated"}, {"job", failing}}).size() == 1);
  const auto cancelled = h.http.post("/guests/" + guest + "/start").job();
  CHECK(h.http.del("/jobs/" + cancelled).status == 202);
  const auto request = audit(h, {{"method", "DELETE"}, {"job", cancelled}, {"outcome", "accepted"}});
  REQUIRE(request.size() == 1);
  CHECK(text_at(request[0], "guest") == guest);
  CHECK(audit(h, {{"msg", "job ended"}, {"job", cancelled}, {"outcome", "cancelled"}}).size() == 1);
  door.open();
  const auto failed = audit(h, {{"msg", "job ended"}, {"job", failing}, {"outcome", "error"}});
  REQUIRE(failed.size() == 1);
  CHECK(text_at(failed[0], "message") == "too hot");
}

TEST_CASE("a job that a crash interrupted is audited at the next start") {
  house h;
  const auto guest = h.create_guest();
  h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  const auto job = h.http.post("/guests/" + guest + "/reboot").job();
  CHECK(h.sub.wait_for("Test.Reboot", 1));
  h.agent.kill_and_start();
  CHECK(audit(h, {{"msg", "job ended"}, {"job", job}, {"outcome", "interrupted"}}).size() == 1);
}

TEST_CASE("the config switches the audit off") {
  house h{[](config_file& c) { c.top["log"] = R"({"audit":false})"; }};
  h.create_guest();
  h.agent.stop();
  CHECK(log_lines(h.agent, {{"level", "audit"}}).empty());
}
