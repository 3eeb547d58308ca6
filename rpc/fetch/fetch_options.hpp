#pragma once

#include "rpc/base/command_line.hpp"
#include "rpc/fetch/fetch_queue.hpp"

#include <string>

namespace mistify::fetching {

/// Options of a command line about fetches, which all sub-agents that have images take.
class fetch_options {
public:
  /// `max_image` in MB is the default of `--max-image`, which `max_image_help` describes.
  fetch_options(unsigned max_image, std::string max_image_help);

  /// Adds them. This must live until they are parsed.
  void add_to(rpc::command_line& options);

  /// Writes what was asked for, in the units of the settings.
  void set(fetch_settings& to) const;

private:
  unsigned max_image_;
  std::string max_image_help_;
  unsigned least_rate_ = 4;       // KiB a second
  unsigned fetch_time_ = 24 * 60; // minutes
  reader_settings reading_;
};

} // namespace mistify::fetching
