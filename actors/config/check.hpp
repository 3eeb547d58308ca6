#pragma once

#include "actors/config/config_files.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace mistify::actors {

/// A mistake in a config file. `line` is 0 where none can be named, as for a file that cannot be read.
struct config_mistake {
  std::string file;
  std::size_t line = 0;
  std::string what;

  /// "FILE:LINE: WHAT".
  std::string text() const;
};

/// What a check has found.
struct config_report {
  std::vector<config_mistake> mistakes; ///< by file and line; empty: the agent can start with it
  std::vector<config_mistake> warnings; ///< unknown keys and the like
  std::string merged;                   ///< JSON, see `merge_config`; "" where there are mistakes
};

/// Checks files as the agent reads them, but does not stop at the first mistake: each member, action, stage and entry is
/// judged by itself.
config_report check_config(const config_texts& files);

/// The same of a file or a folder; files that cannot be read are mistakes.
config_report check_config(const std::filesystem::path& path);

/// The mistake that a message tells of the member that it begins with, as "tls.key …", at that member's line. If no file has
/// it, the mistake has neither file nor line.
config_mistake place_mistake(const config_texts& files, std::string message);

} // namespace mistify::actors
