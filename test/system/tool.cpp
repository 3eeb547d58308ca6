#include "tool.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>
#include <sys/wait.h>

namespace mistify::test {

tool_result run_tool(const std::string& command) {
  FILE* out = ::popen((command + " 2>&1").c_str(), "r");
  if (!out)
    throw std::runtime_error{"cannot run " + command};
  tool_result result;
  std::array<char, 4096> bytes{};
  while (const auto n = std::fread(bytes.data(), 1, bytes.size(), out))
    result.output.append(bytes.data(), n);
  const int status = ::pclose(out);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

} // namespace mistify::test
