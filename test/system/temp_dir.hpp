#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace mistify::test {

/// A temporary folder for the duration of a test.
class temp_dir {
public:
  temp_dir();
  ~temp_dir();
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Writes a file in it and returns its path.
  std::string write(const std::string& name, std::string_view text) const;

private:
  std::filesystem::path path_;
};

} // namespace mistify::test
