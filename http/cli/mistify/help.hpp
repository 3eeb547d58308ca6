#pragma once

#include "http/cli/mistify/command.hpp"

#include <string>
#include <string_view>

namespace mistify::cli {

/// The help of the program; of one group where `group` names one.
std::string help_of_all(std::string_view group = {});
/// The help of a command, the global options included.
std::string help_of(const command& of);

} // namespace mistify::cli
