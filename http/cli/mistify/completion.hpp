#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mistify::cli {

/// What the last of these words (those behind the program's name, the last one as far as it is typed) may become. Asks the
/// agent where names of guests, jobs and so on may stand. Never throws: an agent that is away has nothing to offer.
std::vector<std::string> complete(const std::vector<std::string>& words) noexcept;

/// Runs `complete` and prints the result, a line each, within a second. Returns the exit status.
int run_completion(const std::vector<std::string>& words);

/// The script of a shell: "bash", "zsh" or "fish"; "" for others.
std::string_view completion_script(std::string_view shell);

} // namespace mistify::cli
