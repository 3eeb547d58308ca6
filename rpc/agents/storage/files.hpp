#pragma once

#include <filesystem>
#include <string>
#include <string_view>

/// Files that appear whole or not at all.
namespace mistify::agents::storage {

/// Gives a file that is complete its name, by one rename; what it holds is on disk before. Throws std::runtime_error
/// (`… exists already`) where the name is taken.
void publish(const std::filesystem::path& complete, const std::filesystem::path& as);

/// The same, in the place of what had the name before.
void replace(const std::filesystem::path& complete, const std::filesystem::path& as);

/// Writes a small file as a whole, in the place of what was there.
void write_whole(const std::filesystem::path& file, std::string_view text);

/// The text of a small file, "" where there is none.
std::string read_whole(const std::filesystem::path& file);

} // namespace mistify::agents::storage
