#include "http/api/handlers/common.hpp"
#include "http/pages.hpp"
#include "http/protocol/content_negotiation.hpp"

#include <catch2/catch.hpp>

using namespace mistify::http;

TEST_CASE("a browser prefers a page, a tool that does not care gets JSON") {
  for (const auto* browser : {"text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", "text/html",
                              "TEXT/HTML", "text/*", "application/json;q=0.5, text/html;q=0.6"}) {
    INFO(browser);
    CHECK(prefers_page(browser));
  }
  for (const auto* tool : {"", "*/*", "application/json", "application/json, text/html", "text/html;q=0",
                           "text/html;q=x", "application/json, text/html;q=0.9", "text/plain", ",,;", "image/*"}) {
    INFO(tool);
    CHECK_FALSE(prefers_page(tool));
  }
}

TEST_CASE("what is said of a type itself counts more than what is said of many") {
  constexpr auto accept = "*/*;q=0.1, text/*;q=0.5, text/html;q=0.7, text/html;level=1, image/png; q=7";
  CHECK(welcome(accept, "text/html") == Approx(0.7));
  CHECK(welcome(accept, "text/plain") == Approx(0.5));
  CHECK(welcome(accept, "application/json") == Approx(0.1));
  CHECK(welcome(accept, "image/png") == Approx(1));
  CHECK(welcome("text/html", "application/json") == Approx(0));
}

TEST_CASE("a page comes whole, and may load nothing from elsewhere") {
  const auto page = handlers::page_answer(pages::pprof);
  CHECK(page.content_type == "text/html; charset=utf-8");
  CHECK(page.text().starts_with("<!DOCTYPE html>"));
  CHECK(page.text().ends_with("</html>\n"));
  CHECK(page.text().find("/* include") == std::string::npos);
  REQUIRE_FALSE(page.headers.empty());
  CHECK(page.headers.front().first == "Content-Security-Policy");
  CHECK(page.headers.front().second.starts_with("default-src 'none'"));
}
