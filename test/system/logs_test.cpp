#include "house.hpp"
#include "log_lines.hpp"

#include <catch2/catch.hpp>

#include <regex>

using namespace mistify::test;

TEST_CASE("the log is one JSON object a line, with level, msg and time") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [](const call& c) { return rpc_error(c, R"("broken \"quote\"\nand line")"); });
  h.ended(h.http.post("/guests/" + id + "/reboot").job());
  h.http.get("/guests/%22%0a%ff");
  h.agent.stop();
  const auto lines = lines_of(h.agent.log());
  REQUIRE_FALSE(lines.empty());
  const std::regex time{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*)"};
  for (const auto& line : lines) {
    INFO(line);
    CHECK(line.starts_with("{"));
    CHECK(at(line, "level") != "(absent)");
    CHECK(at(line, "msg") != "(absent)");
    CHECK(std::regex_match(text_at(line, "time"), time));
    const auto level = text_at(line, "level");
    CHECK((level == "info" || level == "warning" || level == "error" || level == "audit"));
  }
}

TEST_CASE("a level keeps what is below it out of the log") {
  house quiet{[](config_file& c) { c.top["futuristic"] = "1"; }};
  for (const auto& line : lines_of(quiet.agent.log()))
    CHECK(text_at(line, "level") != "debug");
}
