#include "rpc/agents/storage/command.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>

using namespace mistify::agents::storage;
using namespace std::chrono_literals;
using Catch::Contains;

TEST_CASE("a command gets its arguments as they are, and no shell") {
  CHECK(run({"printf", "%s|", "a b", "$(id)", "; ls", "*"}) == "a b|$(id)|; ls|*|");
  CHECK(run({"cat"}).empty());
}

TEST_CASE("what a failing command says is the error") {
  CHECK_THROWS_WITH(run({"ls", "/no/such/folder"}), Contains("No such file or directory"));
  CHECK_THROWS_WITH(run({"false"}), "false ended with status 1");
  CHECK_THROWS_WITH(run({"no-such-program-at-all"}), "no-such-program-at-all: No such file or directory");
}

TEST_CASE("a command that takes too long is ended with all its children") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_WITH(run({"sh", "-c", "sleep 60 & echo $!; sleep 60"}, {.time = 200ms}), "sh: not done in time");
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("a command that says too much is ended") {
  CHECK_THROWS_WITH(run({"yes"}, {.output = 100'000}), "yes: says too much");
}

TEST_CASE("a command is ended when nobody wants it any more") {
  int asked = 0;
  CHECK_THROWS_WITH(run({"sleep", "60"}, {.stop = [&] { return ++asked > 2; }}), "cancelled");
}

TEST_CASE("output is handed on as it comes, until nobody takes it") {
  std::size_t bytes = 0;
  CHECK(run_streaming({"head", "-c", "3000000", "/dev/zero"}, [&](std::string_view piece) {
    bytes += piece.size();
    return true;
  }));
  CHECK(bytes == 3'000'000);
  CHECK_FALSE(run_streaming({"yes"}, [](std::string_view) { return false; }));
  CHECK_THROWS_WITH(run_streaming({"false"}, [](std::string_view) { return true; }), Contains("status 1"));
}
