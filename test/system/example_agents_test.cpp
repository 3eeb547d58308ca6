#include "daemon.hpp"
#include "sockets.hpp"
#include "tool.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>

using namespace mistify::test;

namespace {

/// The binary of an example, beside the agent's.
std::string example(const std::string& name) {
  return (std::filesystem::path{AGENT_BINARY}.parent_path() / name).string();
}

} // namespace

TEST_CASE("each example of a sub-agent starts, answers and ends in an orderly way") {
  const std::pair<const char*, std::vector<std::string>> examples[] = {
    {"mistify-test-agent", {}},
    {"mistify-simple-agent", {"--percent-failure", "100"}},
    {"mistify-webhook-agent", {"--endpoint", "http://127.0.0.1:1/"}}};
  for (const auto& [name, options] : examples) {
    INFO(name);
    const temp_dir dir;
    const auto socket = (dir.path() / "socket").string(), err = (dir.path() / "stderr").string();
    std::vector<std::string> words{"--socket", socket};
    words.insert(words.end(), options.begin(), options.end());
    process running{words, err, example(name)};
    REQUIRE(eventually([&] { return std::filesystem::is_socket(socket); }));
    const auto answer = run_tool("curl -sS --max-time 10 --unix-socket " + socket +
                                 " -H 'Content-Type: application/json' -d '{\"method\":\"No.Such\",\"id\":7}' "
                                 "http://agent/_mistify_RPC_");
    CHECK(answer.output == "rpc: can't find method \"No.Such\"\n");
    running.signal(SIGTERM);
    CHECK(running.wait() == 0);
    CHECK(run_tool(example(name) + " --nonsense").code == 1);
  }
}
