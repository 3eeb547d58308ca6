#pragma once

#include "daemon.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mistify::test {

/// Splits a text into lines.
std::vector<std::string> lines_of(const std::string& text);

using log_fields = std::vector<std::pair<std::string_view, std::string>>;

/// Returns the lines that an agent has logged with all of these fields.
std::vector<std::string> log_lines(const daemon& agent, const log_fields& with);

} // namespace mistify::test
