#include "actors/config/config.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

using namespace mistify;

namespace {

namespace fs = std::filesystem;

const fs::path etc = SHIPPED_CONFIGS;

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

/// A config folder. Users and groups that this machine need not have become root.
actors::config load_folder(const fs::path& folder) {
  static const std::regex account{R"re("(user|group)": "mistify[a-z-]*")re"};
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& entry : fs::directory_iterator{folder})
    files.emplace_back(entry.path().filename(), std::regex_replace(text_of(entry.path()), account, R"("$1": "root")"));
  std::ranges::sort(files);
  return actors::parse_config(files);
}

std::vector<std::string> calls_of(const actors::config& config, const std::string& action) {
  std::vector<std::string> calls;
  for (const auto& stage : config.find_action(action)->stages)
    calls.push_back(stage.service + ' ' + stage.method);
  return calls;
}

} // namespace

TEST_CASE("the config folder for units has the actions of the original's single file, with the same calls") {
  const auto folder = load_folder(etc / "agent.d"), single = actors::load_config(etc / "agent.json");
  CHECK(folder.warnings.empty());
  REQUIRE(folder.actions.size() == single.actions.size());
  for (const auto& [name, action] : single.actions) {
    INFO(name);
    REQUIRE(folder.find_action(name));
    CHECK(calls_of(folder, name) == calls_of(single, name));
  }
}

TEST_CASE("a container's shutdown is waited for and may be sent again, and one that is suspended can be resumed") {
  for (const auto& config : {load_folder(etc / "agent.d"), actors::load_config(etc / "agent.json")}) {
    const auto& shutdown = config.find_action("containerShutdown")->stages.at(0);
    CHECK(shutdown.idempotent);
    CHECK(shutdown.args.at("wait") == "120");
    CHECK(shutdown.args.at("then") == "poweroff");
    CHECK(calls_of(config, "containerResume") == std::vector<std::string>{"mdocker MDocker.UnpauseContainer"});
  }
}

TEST_CASE("units let in nobody who is not named, and have each sub-agent behind a socket of a user's") {
  const auto config = load_folder(etc / "agent.d");
  REQUIRE(config.access);
  CHECK(config.access->anonymous == "none");
  CHECK(config.http.listen == std::vector<std::string>{"unix:/run/mistify/agent.sock"});
  for (const auto& [name, service] : config.services) {
    INFO(name);
    CHECK(service.socket.starts_with("/run/mistify-"));
    CHECK(service.user);
  }
}

TEST_CASE("guests are shut down before systemd stops their machines, which libvirt puts before a target") {
  const auto unit = text_of(etc / "systemd/mistify-guests.service");
  CHECK_THAT(unit, Catch::Contains("\nAfter=virt-guest-shutdown.target\n"));
  // Which starts it, so that it is there to be stopped.
  CHECK_THAT(unit, Catch::Contains("\nWants=virt-guest-shutdown.target\n"));
}

TEST_CASE("everything of containers lies in a file of its own") {
  for (const auto& entry : fs::directory_iterator{etc / "agent.d"}) {
    INFO(entry.path());
    const auto text = text_of(entry.path());
    const bool has_containers = text.find("mdocker") != text.npos || text.find("\"container") != text.npos;
    CHECK(has_containers == (entry.path().filename() == "containers.json"));
  }
}

TEST_CASE("starts and poweroffs may be sent again, so that a crash leaves no guest off that is wished on") {
  for (const auto& config : {load_folder(etc / "agent.d"), actors::load_config(etc / "agent.json")})
    for (const auto* action : {"start", "poweroff", "containerStart", "containerPoweroff"}) {
      INFO(action);
      for (const auto& stage : config.find_action(action)->stages)
        CHECK(stage.idempotent);
    }
}
