#include "rpc/base/command_line.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace mistify::rpc;

namespace {

/// Options of each type, and what they are given.
struct given {
  std::string text = "before", open = "before";
  std::uint16_t port = 7;
  unsigned count = 7;
  std::vector<std::string> several;
  bool flag = false;

  std::optional<int> parse(std::vector<std::string> arguments) {
    command_line options{"program", "A program."};
    options.option("-s,--socket", text, "text");
    options.option("-a,--agent", open, "text or empty", command_line::need::may_be_empty);
    options.option("-p,--port", port, "port");
    options.option("--count", count, "number", 10);
    options.option("--net", several, "several");
    options.flag("--flag", flag, "flag");
    arguments.insert(arguments.begin(), "program");
    std::vector<char*> pointers;
    for (auto& argument : arguments)
      pointers.push_back(argument.data());
    return options.parse(static_cast<int>(pointers.size()), pointers.data());
  }
};

} // namespace

TEST_CASE("an option that is given an empty value ends the program, whatever its type is") {
  using arguments = std::vector<std::string>;
  for (const auto& wrong : {arguments{"--socket", ""},
                            {"-s", ""},
                            {"--socket="},
                            {"-p", ""},
                            {"--port", ""},
                            {"--count", ""},
                            {"--net", "a", "--net", ""},
                            {"--net="},
                            {"--flag="}}) {
    INFO(wrong.back());
    CHECK(given{}.parse(wrong) == EXIT_FAILURE);
  }
  given one;
  CHECK(one.parse({"--socket=", "--flag"}) == EXIT_FAILURE);
  CHECK(one.text == "before");
}

TEST_CASE("an option whose empty value means something may have it, and others the values that they are given") {
  given one;
  CHECK_FALSE(one.parse({"-a", "", "--socket", "x=", "-p", "0", "--count", "3", "--net", "a", "--net=b", "--flag"}));
  CHECK(one.open.empty());
  given other;
  CHECK_FALSE(other.parse({"--agent=", "--flag"}));
  CHECK(other.open.empty());
  CHECK(other.flag);
  CHECK(one.text == "x=");
  CHECK(one.port == 0);
  CHECK(one.count == 3);
  CHECK(one.several == std::vector<std::string>{"a", "b"});
  CHECK(one.flag);
}

TEST_CASE("of two options that exclude each other either may be given, and not both") {
  const auto parse = [](std::vector<std::string> arguments) {
    std::uint16_t port = 7;
    std::string socket;
    command_line options{"program", "A program."};
    options.option("-p,--port", port, "port");
    options.option("--socket", socket, "socket");
    options.exclude("--port", "--socket");
    arguments.insert(arguments.begin(), "program");
    std::vector<char*> pointers;
    for (auto& argument : arguments)
      pointers.push_back(argument.data());
    return options.parse(static_cast<int>(pointers.size()), pointers.data());
  };
  CHECK_FALSE(parse({"-p", "7"}));
  CHECK_FALSE(parse({"--socket", "/s"}));
  CHECK_FALSE(parse({}));
  CHECK(parse({"-p", "7", "--socket", "/s"}) == EXIT_FAILURE);
  CHECK(parse({"--socket", "/s", "--port", "7"}) == EXIT_FAILURE);
}
