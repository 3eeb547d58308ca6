#pragma once

#include "http/cli/mistify/command.hpp"

#include <string>
#include <vector>

namespace mistify::cli {

/// The words of a command line: global options may stand before the command, all others behind it.
struct command_line {
  const command* of = nullptr; ///< null: none was named
  bool help = false;
  std::vector<std::string> before; ///< global options before the command
  std::vector<std::string> words;  ///< the command's words without its path
  std::string group;               ///< where `of` is null: the first word, if there is one
};

/// Splits the words behind the program's name. Throws `give_up{usage}` for an unknown option before the command.
command_line split(const std::vector<std::string>& words);

/// Reads options and arguments. Throws `give_up{usage}`.
arguments parse(const command_line& line);

} // namespace mistify::cli
