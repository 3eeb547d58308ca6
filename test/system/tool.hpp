#pragma once

#include <string>

namespace mistify::test {

/// What a program that was run to its end left behind.
struct tool_result {
  int code = -1;
  std::string output; ///< stdout and stderr
};

/// Runs a command line in a shell: for the tools that people use on what the agent answers.
tool_result run_tool(const std::string& command);

} // namespace mistify::test
