#include "browser.hpp"

#include "test/system/guarded_agent.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

namespace {

std::string page_of(const guarded& agent, const std::string& path) {
  return "http://127.0.0.1:" + std::to_string(agent.h.http.port()) + path;
}

/// Where a page could keep something beyond its own variables.
constexpr auto kept = "document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + location.href";

} // namespace

TEST_CASE("/debug/actors asks for a token where the agent wants an identity, and keeps it in memory only") {
  if (::geteuid() != 0)
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"boss","role":"admin")"),
             viewer = agent.token(R"("name":"v","role":"viewer")");
  browser b;
  b.open(page_of(agent, "/debug/actors"));
  REQUIRE(b.shows("#token-dialog", "an identity is needed"));
  b.screenshot("token_dialog");
  b.type("#token", viewer);
  b.click("#token-dialog button");
  REQUIRE(b.shows("#token-dialog", "this needs the scope debug"));
  b.type("#token", admin);
  b.click("#token-dialog button");
  CHECK(b.shows("#live", "live"));
  CHECK(b.becomes("document.querySelector('#token-dialog') === null"));
  CHECK(b.becomes("document.querySelector('[data-total=actors]').textContent > 0"));
  CHECK(b.text(kept).find("mst_") == std::string::npos);
  b.screenshot("actors_with_token");
  b.open(page_of(agent, "/debug/actors"));
  CHECK(b.shows("#token-dialog", "an identity is needed")); // it is gone with the page
}

TEST_CASE("/docs shows whose token it was given, and its lines for a shell send one") {
  if (::geteuid() != 0)
    return;
  const guarded agent;
  const auto viewer = agent.token(R"("name":"watcher","role":"viewer")");
  browser b;
  b.open(page_of(agent, "/docs"));
  REQUIRE(b.becomes("!document.querySelector('main').hasAttribute('aria-busy')"));
  REQUIRE(b.shows("#identity", "Who are you?"));
  b.click("#identity");
  b.type("#token", viewer);
  b.click("#token-dialog button");
  CHECK(b.shows("#identity", "watcher (viewer)"));
  const auto line = b.text("document.querySelector('#listGuests .curl pre').textContent");
  CHECK(line.starts_with("curl -H \"Authorization: Bearer $TOKEN\" "));
  CHECK(b.text(kept).find("mst_") == std::string::npos);
  CHECK(b.text("document.documentElement.outerHTML").find(viewer) == std::string::npos);
  b.screenshot("docs_with_token");
}
