#include "house.hpp"
#include "log_lines.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace mistify::test;

namespace {

std::string level_of(const house& h) {
  return text_at(h.http.get("/debug/log-level").body, "level");
}

response put_level(const house& h, const std::string& body) {
  return h.http.send("PUT", "/debug/log-level", body);
}

} // namespace

TEST_CASE("the level is told and changed while the agent runs, and the change is audited") {
  house h;
  CHECK(h.http.get("/debug/log-level").body == "{\"level\":\"info\"}\n");
  for (const std::string level : {"debug", "warning", "error", "critical", "fatal", "info"}) {
    const auto answer = put_level(h, R"({"level":")" + level + "\"}");
    CHECK(answer.status == 200);
    CHECK(text_at(answer.body, "level") == level);
    CHECK(level_of(h) == level);
  }
  CHECK(eventually([&] {
    return log_lines(h.agent, {{"level", "audit"}, {"path", "/debug/log-level"}, {"method", "PUT"}}).size() == 6;
  }));
}

TEST_CASE("a level that is none is refused and changes nothing") {
  house h;
  for (const auto* body : {"", "{", "[]", "{}", R"({"level":1})", R"({"level":"loud"})", R"({"level":null})"}) {
    INFO(body);
    const auto answer = put_level(h, body);
    CHECK(answer.status == 400);
    CHECK_FALSE(error_message(answer).empty());
  }
  CHECK(level_of(h) == "info");
  CHECK(h.http.send("DELETE", "/debug/log-level").status == 405);
}

TEST_CASE("the level is a debug route, and not for everybody") {
  house h{[](config_file& c) { c.top["debug"] = R"({"access":"off"})"; }};
  CHECK(h.http.get("/debug/log-level").status == 403);
  CHECK(put_level(h, R"({"level":"debug"})").status == 403);
}

TEST_CASE("the config's level begins, and the command line's wins over it") {
  house h{[](config_file& c) { c.top["log"] = R"({"level":"error"})"; }};
  CHECK(level_of(h) == "info");
  h.agent.stop();
  h.agent.start("");
  CHECK(level_of(h) == "error");
}

TEST_CASE("SIGHUP reads the level from the config again, and ends nothing") {
  house h;
  config_file config{h.sub.port()};
  const auto hang_up = [&](const std::string& text) {
    h.agent.rewrite_config(text);
    h.agent.running().signal(SIGHUP);
  };
  config.top["log"] = R"({"level":"debug"})";
  hang_up(config.text());
  CHECK(eventually([&] { return level_of(h) == "debug"; }));
  config.top["log"] = R"({"level":"nonsense"})";
  hang_up(config.text());
  CHECK(eventually([&] { return !log_lines(h.agent, {{"msg", "the config cannot be read again"}}).empty(); }));
  CHECK(level_of(h) == "debug");
  config.top.erase("log"); // what the command line said holds again
  hang_up(config.text());
  CHECK(eventually([&] { return level_of(h) == "info"; }));
  CHECK(h.healthy());
  CHECK(h.agent.stop() == 0);
}
