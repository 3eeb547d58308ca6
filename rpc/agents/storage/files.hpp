#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

/// Files that appear whole or not at all.
namespace mistify::agents::storage {

/// Gives a file that is complete its name, by one rename; what it holds is on disk before. Throws std::runtime_error
/// (`… exists already`) where the name is taken.
void publish(const std::filesystem::path& complete, const std::filesystem::path& as);

/// The same, in the place of what had the name before.
void replace(const std::filesystem::path& complete, const std::filesystem::path& as);

/// A file that is being made; it goes with the object unless it was given another name by then.
class staged_file {
public:
  explicit staged_file(std::filesystem::path path) : path_{std::move(path)} {}
  staged_file(staged_file&& other) noexcept : path_{std::exchange(other.path_, {})} {}
  staged_file& operator=(staged_file&&) = delete;
  ~staged_file() {
    std::error_code ignored;
    if (!path_.empty())
      std::filesystem::remove(path_, ignored);
  }

  const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

/// Writes a small file as a whole, in the place of what was there.
void write_whole(const std::filesystem::path& file, std::string_view text);

/// The text of a small file, "" where there is none.
std::string read_whole(const std::filesystem::path& file);

} // namespace mistify::agents::storage
