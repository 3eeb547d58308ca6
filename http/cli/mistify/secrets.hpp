#pragma once

#include <string>
#include <vector>

namespace mistify::cli {

/// A message without the tokens among the words of the command line, and without what looks like one of the agent's.
std::string without_tokens(std::string message, const std::vector<std::string>& words);

} // namespace mistify::cli
