#include "event_reader.hpp"
#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

namespace {

constexpr std::string_view secret = "s3cr3t!";

bool holds_secret(std::string_view text) {
  return text.find(secret) != text.npos || text.find("vnc.password") != text.npos;
}

/// A guest with a VNC password, and whether it shows.
struct secret_house : house {
  const std::string body = R"({"vnc":5900,"metadata":{"a":"1","vnc.password":")" + std::string{secret} + R"("}})";
  const response created = http.send("POST", "/guests", body, {"Idempotency-Key: k"});
  const std::string guest = "/guests/" + text_at(created.body, "id");

  /// Of what the sub-agent was sent last by the method.
  std::string sent(const std::string& method) const { return sub.calls(method).back().params; }
};

} // namespace

TEST_CASE("a guest's VNC password shows in no answer and no event, and sub-agents get it") {
  secret_house h;
  REQUIRE(h.outcome(h.created.job()) == "Complete");
  CHECK(holds_secret(h.sent("Test.Create")));
  CHECK(text_at(h.created.body, "metadata/a") == "1");
  const auto again = h.http.send("POST", "/guests", h.body, {"Idempotency-Key: k"});
  const auto patched = h.http.patch(h.guest + "/metadata", R"({"b":"2"})");
  const auto acted = h.http.post(h.guest + "/start");
  CHECK(h.outcome(acted.job()) == "Complete");
  CHECK(holds_secret(h.sent("Test.Start")));
  for (const auto& answer :
       {h.created, again, patched, acted, h.http.get(h.guest), h.http.get("/guests"), h.http.get(h.guest + "/metadata"),
        h.http.put(h.guest + "/state", R"({"state":"paused"})"), h.http.get("/jobs"), h.http.get(h.guest + "/jobs")}) {
    INFO(answer.body);
    CHECK(answer.status < 300);
    CHECK_FALSE(holds_secret(answer.body));
  }
  for (const auto& event : event_reader{h.agent.port(), "?last_event_id=0"}.until("job.ended"))
    CHECK_FALSE(holds_secret(event.data));
}

namespace {

void with_seed_stage(config_file& c) {
  c.stages("create", R"({"service":"test","method":"Test.CreateSeed"},{"service":"test","method":"Test.Create"})");
}

} // namespace

TEST_CASE(
  "cloud-init's user data shows in no answer, event or log, and sub-agents get it whatever one of them returns") {
  house h{with_seed_stage};
  h.sub.on("Test.Start", [](const call& c) { // one that does not know the member
    return result(c, R"({"guest":{"id":)" + at(c.params, "guest/id") + "}}");
  });
  const auto created = h.http.post("/guests", R"({"cloud_init":{"user\u005fdata":")" + std::string{secret} +
                                                R"(","hostname":"web","ssh_keys":["ssh-ed25519 AAAA"]}})");
  REQUIRE(h.outcome(created.job()) == "Complete");
  const auto guest = "/guests/" + text_at(created.body, "id");
  CHECK(text_at(h.sub.calls("Test.Create").back().params, "guest/cloud_init/user_data") == secret);
  CHECK(text_at(created.body, "cloud_init/hostname") == "web");
  const auto started = h.http.post(guest + "/start");
  CHECK(h.outcome(started.job()) == "Complete");
  const auto stopped = h.http.post(guest + "/reboot");
  CHECK(h.outcome(stopped.job()) == "Complete");
  CHECK(text_at(h.sub.calls("Test.Reboot").back().params, "guest/cloud_init/user_data") == secret);
  h.sub.on("/guests/log", [](const call&) { return download([](const write_bytes& write) { return write("x"); }); });
  h.http.get(guest + "/log");
  CHECK_FALSE(holds_secret(h.sub.calls("/guests/log").back().body));
  for (const auto& answer :
       {created, started, stopped, h.http.get(guest), h.http.get("/guests"), h.http.get("/guests?fields=id,cloud_init"),
        h.http.get("/jobs?stages=true"), h.http.patch(guest, R"({"name":"web"})"), h.http.get("/debug/actors")}) {
    INFO(answer.body);
    CHECK(answer.status < 300);
    CHECK_FALSE(holds_secret(answer.body));
  }
  for (const auto& event : event_reader{h.agent.port(), "?last_event_id=0"}.until("job.ended"))
    CHECK_FALSE(holds_secret(event.data));
  CHECK_FALSE(holds_secret(h.agent.log()));
}

TEST_CASE("cloud_init has known members of a bounded size, and is for the first boot only") {
  house h{with_seed_stage};
  const std::string large(32 * 1024 + 1, 'x');
  for (const auto& bad :
       {std::string{R"("text")"}, std::string{R"({"userdata":"s3cr3t!"})"}, std::string{R"({"User_Data":"s3cr3t!"})"},
        std::string{R"({"user_data":5})"}, R"({"user_data":")" + large + "\"}", std::string{R"({"ssh_keys":"k"})"},
        std::string{R"({"ssh_keys":["a\nb"]})"}, std::string{R"({"hostname":"a b"})"},
        std::string{R"({"network_config":{}})"}, R"({")" + std::string{secret} + R"(":1})",
        R"({")" + std::string(33, 'x') + R"(":1})"}) {
    const auto answer = h.http.post("/guests", R"({"cloud_init":)" + bad + "}");
    CHECK(answer.status == 400);
    CHECK_THAT(answer.body, Catch::Contains("cloud_init") && !Catch::Contains(std::string{secret}));
  }
  CHECK(h.http.post("/guests", R"({"cloud_init":{"user_data":")" + large.substr(1) + "\"}}").status == 202);
  const auto id = h.create_guest(R"("cloud_init":{"user_data":"a"})");
  CHECK(h.http.patch("/guests/" + id, R"({"cloud_init":{"user_data":"b"}})").status == 400);
}

TEST_CASE("cloud_init is refused before anything is made where it could not be told, or holds no address") {
  house h;
  const auto absent = h.http.post("/guests", R"({"cloud_init":{"hostname":"web"}})");
  CHECK(absent.status == 404);
  CHECK_THAT(absent.body, Catch::Contains("CreateSeed"));
  CHECK(h.http.post("/guests", R"({"cloud_init":null})").status == 202);
  house seeds{with_seed_stage};
  const auto post = [&](const std::string& more) { return seeds.http.post("/guests", "{" + more + "}"); };
  const std::string init = R"("cloud_init":{"hostname":"web"})", bad = R"(,"nics":[{"address":"192.0.2.7"}])";
  const auto container = post(init + R"(,"type":"container")");
  CHECK(container.status == 400);
  CHECK_THAT(container.body, Catch::Contains("cloud_init: is for machines"));
  const auto refused = post(init + bad);
  CHECK(refused.status == 400);
  CHECK_THAT(refused.body, Catch::Contains("nics[0].netmask: is needed beside an address"));
  CHECK(seeds.sub.calls("Test.CreateSeed").empty());
  CHECK(post(R"("cloud_init":{"network_config":"version: 2"})" + bad).status == 202);
  CHECK(post(init + R"(,"nics":[{"address":"192.0.2.7/24","gateway":"192.0.2.1"}])").status == 202);
}

TEST_CASE("a VNC password is written and deleted as other metadata is, without being read") {
  secret_house h;
  REQUIRE(h.outcome(h.created.job()) == "Complete");
  CHECK(h.http.patch(h.guest + "/metadata", R"({"vnc.password":"n3w"})").body == "{\"a\":\"1\"}\n");
  h.outcome(h.http.post(h.guest + "/start").job());
  CHECK(text_at(h.sent("Test.Start"), "guest/metadata/vnc.password") == "n3w");
  CHECK(h.http.patch(h.guest + "/metadata", R"({"vnc.password":null})").body == "{\"a\":\"1\"}\n");
  h.outcome(h.http.post(h.guest + "/start").job());
  CHECK_FALSE(holds_secret(h.sent("Test.Start")));
}

TEST_CASE("a key that only ends like the password's is shown") {
  house h;
  const auto id = h.create_guest(R"("metadata":{"x\"vnc.password":"a","VNC.password":"b"})");
  CHECK(h.http.get("/guests/" + id + "/metadata").body == "{\"VNC.password\":\"b\",\"x\\\"vnc.password\":\"a\"}\n");
  CHECK(text_at(h.http.get("/guests/" + id).body, "metadata/VNC.password") == "b");
}

TEST_CASE("what sub-agents say about the stages of a job is its message when it is complete") {
  house h{[](config_file& config) {
    config.stages("start", R"({"service":"test","method":"T.One"},{"service":"test","method":"T.Two"},)"
                           R"({"service":"test","method":"T.Three"})");
  }};
  const auto saying = [](const std::string& text) {
    return [text](const call& c) {
      return result(c, R"({"guest":)" + at(c.params, "guest") + R"(,"message":")" + text + "\"}");
    };
  };
  h.sub.on("T.One", saying("started without VNC"));
  h.sub.on("T.Two", saying(""));
  h.sub.on("T.Three", saying("left alone: x"));
  const auto id = h.create_guest();
  const auto job = h.http.post("/guests/" + id + "/start").job();
  CHECK(h.outcome(job) == "Complete");
  CHECK(h.message(job) == "started without VNC; left alone: x");
}
