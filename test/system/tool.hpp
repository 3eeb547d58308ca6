#pragma once

#include <string>

namespace mistify::test {

/// The result of a finished program.
struct tool_result {
  int code = -1;
  std::string output; ///< stdout and stderr
};

/// Runs a shell command, for tools that process the agent's responses.
tool_result run_tool(const std::string& command);

} // namespace mistify::test
