#include "house.hpp"
#include "log_lines.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <regex>
#include <sys/stat.h>
#include <unistd.h>

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

TEST_CASE("a reader of the log that stalls holds up neither the agent nor its end") {
  const temp_dir dir;
  const auto pipe = (dir.path() / "stderr").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const descriptor reader{::open(pipe.c_str(), O_RDWR | O_CLOEXEC)}; // and never reads
  REQUIRE(::fcntl(reader.get(), F_SETPIPE_SZ, 4096) >= 0);
  const auto port = free_port();
  const auto config = dir.write("agent.json", R"({"dbpath":")" + (dir.path() / "agent.db").string() +
                                                R"(","actions":{"create":{"stages":[]}}})");
  process agent{{"-a", "127.0.0.1:" + std::to_string(port), "-c", config, "-l", "info"}, pipe};
  const http_client http{port};
  const auto creates = [&] {
    try {
      return http.post("/guests", "{}").status == 202;
    } catch (const std::exception&) {
      return false; // does not listen yet
    }
  };
  REQUIRE(eventually(creates));
  for (int i = 0; i < 100; ++i)
    CHECK(creates());
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}

TEST_CASE("a start that is refused ends where a reader of stderr stalls, too") {
  const temp_dir dir;
  const auto pipe = (dir.path() / "stderr").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const descriptor reader{::open(pipe.c_str(), O_RDWR | O_CLOEXEC)}; // and never reads
  REQUIRE(::fcntl(reader.get(), F_SETPIPE_SZ, 4096) >= 0);
  REQUIRE(::write(reader.get(), std::string(4096, 'x').data(), 4096) == 4096);
  const auto config = dir.write("agent.json", "{");
  for (const auto& words : {std::vector<std::string>{"-c", config}, {"-c", config, "-l", "loud"}, {"--no-such"}}) {
    process agent{words, pipe};
    CHECK(agent.wait() == 1);
  }
}

TEST_CASE("lines of other kinds never push audit lines out, and the log says what it lost") {
  const temp_dir dir;
  const auto pipe = (dir.path() / "stderr").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const descriptor reader{::open(pipe.c_str(), O_RDWR | O_CLOEXEC)};
  REQUIRE(::fcntl(reader.get(), F_SETPIPE_SZ, 4096) >= 0);
  const auto port = free_port();
  const auto config = dir.write("agent.json", R"({"dbpath":")" + (dir.path() / "agent.db").string() + R"("})");
  process agent{{"-a", "127.0.0.1:" + std::to_string(port), "-c", config, "-l", "debug"}, pipe};
  const http_client http{port};
  REQUIRE(eventually([&] {
    try {
      return http.get("/metadata").status == 200;
    } catch (const std::exception&) {
      return false; // does not listen yet
    }
  }));
  constexpr int changes = 50, reads = 10'000;
  for (int i = 0; i < changes; ++i)
    CHECK(http.patch("/metadata", R"({"a":"b"})").status == 200);
  raw_client many{port};
  for (int i = 0; i < reads; ++i)
    REQUIRE(many.get("/metadata").status == 200);
  const auto lost = [&] { return http.get("/metrics").body.find("mistify_log_lost_lines_total{kind=\"other\"} 0\n"); };
  CHECK(lost() == std::string::npos);
  std::string log;
  const auto told = [&] { return log.find("\"lines of the log were lost\"") != log.npos; };
  const auto audited = [&] {
    int found = 0;
    for (auto at = log.find("\"level\":\"audit\""); at != log.npos; at = log.find("\"level\":\"audit\"", at + 1))
      ++found;
    return found;
  };
  pollfd readable{reader.get(), POLLIN, 0};
  while ((!told() || audited() < changes) && ::poll(&readable, 1, 20'000) == 1) {
    std::array<char, 65536> piece{};
    log.append(piece.data(),
               static_cast<std::size_t>(std::max<ssize_t>(0, ::read(reader.get(), piece.data(), piece.size()))));
  }
  CHECK(told());
  CHECK(audited() == changes);
  CHECK(log.find("\"audit_lines\":\"0\"") != log.npos);
}

TEST_CASE("what was logged last is written before the end") {
  house h;
  h.agent.stop();
  CHECK(text_at(lines_of(h.agent.log()).back(), "msg") == "stopped");
}

TEST_CASE("a level keeps what is below it out of the log") {
  house quiet{[](config_file& c) { c.top["futuristic"] = "1"; }};
  for (const auto& line : lines_of(quiet.agent.log()))
    CHECK(text_at(line, "level") != "debug");
}
