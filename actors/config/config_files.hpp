#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace mistify::actors {

/// Files of a config: name and text, in the order in which they count.
using config_texts = std::vector<std::pair<std::string, std::string>>;

/// The texts of a file, or of a folder's *.json in name order. Throws `failure{config_invalid}`.
config_texts read_config_texts(const std::filesystem::path& path);

} // namespace mistify::actors
