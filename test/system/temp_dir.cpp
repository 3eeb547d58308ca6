#include "temp_dir.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace mistify::test {

temp_dir::temp_dir() {
  auto pattern = (std::filesystem::temp_directory_path() / "mistify-test-XXXXXX").string();
  if (!::mkdtemp(pattern.data()))
    throw std::system_error{errno, std::generic_category(), "mkdtemp"};
  path_ = pattern;
}

temp_dir::~temp_dir() {
  std::error_code ignored; // what is left in the system's folder for temporary files harms nothing
  std::filesystem::remove_all(path_, ignored);
}

std::string temp_dir::write(const std::string& name, std::string_view text) const {
  const auto file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream{file, std::ios::binary} << text;
  return file.string();
}

} // namespace mistify::test
