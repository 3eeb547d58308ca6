#include "browser.hpp"

#include "test/system/house.hpp"
#include "test/system/tool.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

namespace {

std::string page_of(const house& h, const std::string& rest = "") {
  return "http://127.0.0.1:" + std::to_string(h.http.port()) + "/docs" + rest;
}

/// The line for a shell at an operation.
std::string curl_of(browser& b, const std::string& operation) {
  return b.text("document.querySelector('#" + operation + " .curl pre').textContent");
}

constexpr auto is_drawn = "!document.querySelector('main').hasAttribute('aria-busy')";

} // namespace

TEST_CASE("/docs shows all that is described, and fetches nothing from elsewhere") {
  const house h;
  browser b;
  b.open(page_of(h));
  REQUIRE(b.becomes(is_drawn));
  const auto described = h.http.get("/openapi.json").body;
  std::size_t operations = 0;
  constexpr std::string_view mark = R"("operationId":)";
  for (auto at = described.find(mark); at != described.npos; at = described.find(mark, at + 1))
    ++operations;
  // Links name an operation too.
  CHECK(b.run("document.querySelectorAll('article .route').length") == std::to_string(operations - 1));
  CHECK(b.becomes("[...document.querySelectorAll('.curl pre')].every((p) => p.textContent.startsWith('curl '))"));
  // Its style sheet and script are files beside it, since its policy allows none inline.
  CHECK(b.becomes("performance.getEntriesByType('resource').every((r) => "
                  "['/openapi.json', '/whoami', '/pages/docs.css', "
                  "'/pages/docs.js'].includes(r.name.replace(location.origin, '')))"));
  CHECK(b.errors() == "[]");
  b.screenshot("docs");
}

TEST_CASE("the lines of /docs for a shell do what they say") {
  const house h;
  browser b;
  b.open(page_of(h));
  REQUIRE(b.becomes(is_drawn));
  const auto made = run_tool(curl_of(b, "createGuest"));
  INFO(made.output);
  CHECK(made.output.find("HTTP/1.1 202 Accepted") != std::string::npos);
  const auto found = run_tool(curl_of(b, "getGuest"));
  CHECK(found.output.find(R"("memory":512)") != std::string::npos);
  CHECK(run_tool(curl_of(b, "patchMetadata")).output.find(R"("owner":"web")") != std::string::npos);
}

TEST_CASE("/docs is searched by words, and shows the example of a status at a click") {
  const house h;
  browser b;
  b.open(page_of(h));
  REQUIRE(b.becomes(is_drawn));
  b.type("#search", "cancel job");
  CHECK(b.becomes("document.querySelector('#cancelJob').offsetHeight > 0"));
  CHECK(b.becomes("document.querySelector('#listImages').offsetHeight === 0"));
  CHECK(b.shows("#found", "found"));
  b.click("#cancelJob [data-status='409']");
  CHECK(b.shows("#cancelJob .example", "the job has ended"));
  b.type("#search", "\uE00C");
  CHECK(b.becomes("document.querySelector('#listImages').offsetHeight > 0"));
  CHECK(b.errors() == "[]");
}

TEST_CASE("/docs fits a narrow screen, where the menu is behind a button, in the dark and in the light") {
  const house h;
  browser b;
  b.resize(500, 800); // the narrowest that Chromium makes a window
  b.open(page_of(h, "#createGuest"));
  REQUIRE(b.becomes(is_drawn));
  CHECK(b.becomes("Math.abs(document.querySelector('#createGuest').getBoundingClientRect().top) < 150"));
  CHECK(b.becomes("document.scrollingElement.scrollWidth <= innerWidth"));
  CHECK(b.becomes("document.querySelector('nav').offsetHeight === 0"));
  b.click("#menu");
  CHECK(b.becomes("document.querySelector('nav').offsetHeight > 0"));
  for (const bool dark : {false, true}) {
    b.prefer_dark(dark);
    const auto ground = std::stoi(b.text("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]"));
    CHECK((ground < 100) == dark);
    b.screenshot(dark ? "docs_narrow_dark" : "docs_narrow_light");
  }
}
