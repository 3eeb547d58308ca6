#include "rpc/agents/examples/webhook_agent/webhook_agent.hpp"
#include "test/rpc/agent_calls.hpp"
#include "test/rpc/scripted_agent.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using agents::parse_webhook_url;
using test::peer;

namespace {

const std::string reboot = R"({"guest":{"id":"g","own":1},"action":"reboot"})";

std::string url_of(const test::scripted_agent& service) {
  return "http://127.0.0.1:" + std::to_string(service.port()) + "/hook?key=1";
}

} // namespace

TEST_CASE("the webhook agent posts a message and gives back the guest") {
  std::string seen;
  test::scripted_agent service{[&](peer& p) {
    seen = p.request();
    p.send(test::http("ok"));
  }};
  agents::webhook_agent agent{0, url_of(service)};
  test::caller call{agent.server()};
  CHECK(call("Webhook.Post", reboot) == R"({"guest":{"id":"g","own":1}})");
  CHECK(seen.starts_with("POST /hook?key=1 HTTP/1.1\r\n"));
  CHECK(seen.find("Content-Type: application/json\r\n") != seen.npos);
  CHECK(seen.ends_with(R"({"text":"reboot called on g","icon_emoji":":rainbow:","username":"mistify-webhook-post"})"));
}

TEST_CASE("a stage's args override the webhook's message") {
  rpc::guest_request request;
  request.args = {{"text", "say \"hi\""}, {"emoji", ":cat:"}, {"name", "me"}};
  CHECK(agents::webhook_text(request) == R"({"text":"say \"hi\"","icon_emoji":":cat:","username":"me"})");
}

TEST_CASE("an emoji is taken with colons or without, and an empty arg is none") {
  rpc::guest_request request;
  request.guest.id = "g";
  request.action = "reboot";
  for (const auto* emoji : {"cat", ":cat:", ":cat", "cat:"}) {
    request.args = {{"emoji", emoji}};
    CHECK(agents::webhook_text(request).find(R"("icon_emoji":":cat:")") != std::string::npos);
  }
  for (const auto* emoji : {"", ":", "::"}) {
    request.args = {{"text", ""}, {"emoji", emoji}, {"name", ""}};
    CHECK(agents::webhook_text(request) ==
          R"({"text":"reboot called on g","icon_emoji":":rainbow:","username":"mistify-webhook-post"})");
  }
}

TEST_CASE("a webhook that refuses, is not there or takes too long fails the stage") {
  using std::chrono::milliseconds;
  test::scripted_agent refuses{[](peer& p) {
    p.request();
    p.send(test::http("no", "403 Forbidden"));
  }};
  test::scripted_agent drips{[](peer& p) {
    p.request();
    while (p.send("H"))
      std::this_thread::sleep_for(milliseconds{5});
  }};
  agents::webhook_agent refused{0, url_of(refuses)};
  agents::webhook_agent late{0, url_of(drips), milliseconds{80}};
  agents::webhook_agent alone{0, "http://127.0.0.1:1"}; // a free port may be taken by then, nobody takes this one
  const auto fails_with = [](agents::webhook_agent& agent, const std::string& text) {
    test::caller call{agent.server()};
    CHECK_THROWS_WITH(call("Webhook.Post", reboot), Catch::Matchers::StartsWith(text));
  };
  fails_with(refused, "webhook answered HTTP status 403");
  fails_with(late, "webhook failed: ");
  fails_with(alone, "webhook failed: ");
}

TEST_CASE("webhook URLs are cut into origin and target") {
  const auto is = [](const char* url, const char* origin, const char* target) {
    const auto cut = parse_webhook_url(url);
    CHECK(cut.origin == origin);
    CHECK(cut.target == target);
  };
  is("https://example.com/a/b?c=d#e", "https://example.com", "/a/b?c=d");
  is("http://localhost:80", "http://localhost:80", "/");
  is("http://localhost?x", "http://localhost", "/?x");
  for (const auto* bad : {"", "example.com", "ftp://example.com", "http://", "http:///x"})
    CHECK_THROWS_AS(parse_webhook_url(bad), std::invalid_argument);
}
