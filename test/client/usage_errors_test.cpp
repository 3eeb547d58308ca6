#include "command_run.hpp"
#include "fake_agent.hpp"
#include "test/system/house.hpp"
#include "test/system/tool.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace mistify::test {

using Catch::Contains;

TEST_CASE("A value that an option cannot have is a wrong command line, and nothing is asked for") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
    {{"list", "--label", "envprod"}, "--label envprod: must be KEY=VALUE"},
    {{"shutdown", "web", "--then", "xx"}, "--then: must be poweroff or fail"},
    {{"stop", "web", "--then", "xx"}, "--then: must be poweroff or fail"},
    {{"update", "web", "--memory", "1", "--apply", "zz"}, "--apply: must be live, next-start or either"},
    {{"disks", "attach", "web", "5", "--apply", "zz"}, "--apply: must be live, next-start or either"},
    {{"token", "create", "t", "--role", "x"}, "--role: must be viewer, operator,"},
    {{"token", "create", "t", "--role", "viewer", "--expires", "x"}, "--expires: must be a time"},
    {{"token", "create", "t", "--role", "viewer", "--expires", "2020-01-31T00:00:00Z"}, "--expires: is over already"},
    {{"token", "create", "t", "--role", "viewer", "--label", "x"}, "--label x: must be KEY=VALUE"},
    {{"create", "--id", "nouuid"}, "--id: must be a UUID"},
    {{"jobs", "--status", "xx"}, "--status: must be Queued, Running, Complete or Error"},
    {{"host", "maintenance", "xx"}, "STATE: must be on or off"},
    {{"completion", "xx"}, "SHELL: must be bash, zsh or fish"}};
  fake_agent any{[](const std::string&, std::size_t, int fd) { send_all(fd, answer_text("[]")); }};
  for (auto [words, why] : cases) {
    words.insert(words.begin(), {"-H", any.url()});
    const auto got = run_command(words);
    INFO(words[2] << ": " << got.err);
    CHECK(got.code == 2);
    CHECK_THAT(got.err, Contains(why));
  }
  CHECK(any.requests().empty());
}

TEST_CASE("What the agent refuses of the filters of events is a wrong command line") {
  const house h;
  const auto url = "http://127.0.0.1:" + std::to_string(h.agent.port());
  for (const auto* option : {"--type", "--action", "--behind"}) {
    const auto got = run_command({"-H", url, "events", option, "zz"});
    INFO(got.err);
    CHECK(got.code == 2);
    CHECK_THAT(got.err, Contains(std::string{"mistify: "} + option + ": must be "));
  }
}

TEST_CASE("An empty file or standard input is no guest") {
  fake_agent any{[](const std::string&, std::size_t, int fd) { send_all(fd, answer_text("{}")); }};
  for (const auto* input : {"", "\n \n"}) {
    const auto got = run_command({"-H", any.url(), "create", "-f", "-", "--name", "web"}, {}, input);
    CHECK(got.code == 2);
    CHECK(got.out.empty());
    CHECK_THAT(got.err, Contains("standard input: is empty"));
  }
  CHECK(run_command({"-H", any.url(), "create", "-f", "/dev/null"}).code == 2);
  CHECK(any.requests().empty());
}

TEST_CASE("An empty file or standard input is no user data") {
  fake_agent any{[](const std::string&, std::size_t, int fd) { send_all(fd, answer_text("{}")); }};
  const auto got = run_command({"-H", any.url(), "create", "--name", "web", "--user-data", "-"}, {}, "\n");
  CHECK(got.code == 2);
  CHECK(got.out.empty());
  CHECK_THAT(got.err, Contains("standard input: is empty"));
  const auto file = run_command({"-H", any.url(), "create", "--user-data", "/dev/null"});
  CHECK(file.code == 2);
  CHECK_THAT(file.err, Contains("/dev/null: is empty"));
  CHECK(any.requests().empty());
}

TEST_CASE("Columns that nothing in a list has are named, once, with those that there are") {
  fake_agent one{[](const std::string&, std::size_t before, int fd) {
    send_all(fd, answer_text(before < 3 ? R"([{"id":"a","State":"running","labels":{"env":"x"}}])" : "[]"));
  }};
  const auto list = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"-H", one.url(), "list"});
    return run_command(more);
  };
  const auto wrong = list({"-o", "id,nosuch,labels.env,labels.b", "--sort", "-nosuch", "--as", "csv"});
  CHECK(wrong.code == 0);
  CHECK(wrong.out == "id,nosuch,labels.env,labels.b\r\na,,x,\r\n");
  const std::string members = "mistify: its members: id, State, labels\n";
  CHECK(wrong.err == "mistify: no guest has \"nosuch\" or \"labels.b\"\n" + members);
  CHECK(list({"--sort", "\x1b[2J"}).err == "mistify: no guest has \"\\x1b[2J\"\n" + members);
  CHECK(list({"-o", "ID,state,name,Memory", "--sort", "cpu"}).err.empty()); // the usual ones may be absent
  CHECK(list({"-o", "nosuch"}).err.empty());                                // of no guest nothing is known
}

TEST_CASE("Output to a standard output that is closed is exit 1") {
  fake_agent one{[](const std::string&, std::size_t, int fd) { send_all(fd, answer_text("[]")); }};
  const auto closed = [&](const std::string& words) { return run_tool("( " MISTIFY_BINARY " " + words + " >&- )"); };
  const auto got = closed("-H " + one.url() + " list");
  CHECK(got.code == 1);
  CHECK_THAT(got.output, Contains("cannot be written"));
  CHECK(closed("--version").code == 1);
  CHECK(one.requests().size() == 1);
  CHECK(one.requests().front().find("STATE") == std::string::npos); // what was printed did not get into the request
}

} // namespace mistify::test
