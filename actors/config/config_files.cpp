#include "actors/config/config_files.hpp"

#include "actors/config/field_readers.hpp"
#include "rpc/base/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace mistify::actors {

namespace {

/// What lies in a folder has to be a regular file: a pipe there would hold up the start for ever. A file that is named may be
/// /dev/stdin.
std::string read_file(const std::filesystem::path& path, bool in_folder) {
  const rpc::unique_fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | (in_folder ? O_NONBLOCK : 0))};
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0)
    refuse_config(path.string() + ": " + std::generic_category().message(errno));
  if (S_ISDIR(facts.st_mode))
    refuse_config(path.string() + ": is a directory");
  if (in_folder && !S_ISREG(facts.st_mode))
    refuse_config(path.string() + ": is no regular file");
  std::string text;
  std::array<char, 16 * 1024> bytes;
  for (ssize_t n = 0; (n = ::read(fd.get(), bytes.data(), bytes.size())) != 0;)
    if (n > 0)
      text.append(bytes.data(), static_cast<std::size_t>(n));
    else if (errno != EINTR)
      refuse_config(path.string() + ": cannot be read");
  return text;
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error))
    return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{path, error})
    // Hidden files belong to other programs, such as editors' locks and file systems' metadata.
    if (entry.path().extension() == ".json" && !entry.path().filename().string().starts_with('.'))
      files.push_back(entry.path());
  if (error)
    refuse_config(path.string() + ": " + error.message());
  if (files.empty())
    refuse_config(path.string() + ": the directory holds no *.json file");
  std::sort(files.begin(), files.end());
  return files;
}

} // namespace

config_texts read_config_texts(const std::filesystem::path& path) {
  config_texts texts;
  for (const auto& file : files_of(path))
    texts.emplace_back(file.string(), read_file(file, file != path));
  return texts;
}

} // namespace mistify::actors
