#include "rpc/fetch/source_file.hpp"

#include "rpc/fetch/url_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace mistify::fetching {

namespace {

namespace fs = std::filesystem;

bool climbs(const fs::path& file) {
  return std::find(file.begin(), file.end(), "..") != file.end();
}

bool is_below(const fs::path& folder, const fs::path& file) {
  const auto rest = file.lexically_relative(folder);
  return !rest.empty() && rest != "." && !climbs(rest);
}

/// The folder that a name leads to now; "", which nothing is below, where there is none.
fs::path resolved(const fs::path& folder) {
  std::error_code none;
  return fs::canonical(folder, none);
}

[[noreturn]] void refuse(const fs::path& file) {
  throw source_refused{"not in a folder that images may come from: " + file.string()};
}

/// By the name alone, so that nobody can ask whether other files exist. Either name of a folder will do.
void expect_name_in(const std::vector<std::string>& folders, const fs::path& file) {
  const auto holds = [&](const std::string& folder) {
    return is_below(folder, file) || is_below(resolved(folder), file);
  };
  if (climbs(file) || std::ranges::none_of(folders, holds))
    refuse(file);
}

void expect_in(const std::vector<std::string>& folders, const rpc::unique_fd& opened, const fs::path& file) {
  const auto real = fs::read_symlink(link_to(opened));
  if (std::ranges::none_of(folders, [&](const std::string& folder) { return is_below(resolved(folder), real); }))
    refuse(file);
}

void expect_regular(const rpc::unique_fd& opened, const fs::path& file) {
  struct stat facts {};
  if (::fstat(opened.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) // of what else there is, not all have an end
    throw source_error{"not a file: " + file.string(), false};
}

/// What the kernel makes up (environments and memory of processes, settings) is no image, wherever it is mounted.
void expect_stored(const rpc::unique_fd& opened, const fs::path& file) {
  struct statfs on {};
  const bool made_up = ::fstatfs(opened.get(), &on) == 0 && (on.f_type == PROC_SUPER_MAGIC || on.f_type == SYSFS_MAGIC);
  const auto real = fs::read_symlink(link_to(opened));
  if (made_up ||
      std::ranges::any_of(std::array{"/proc", "/sys", "/dev"}, [&](auto* folder) { return is_below(folder, real); }))
    refuse(file);
}

} // namespace

rpc::unique_fd open_source(const fs::path& file, const std::vector<std::string>& folders) {
  if (!folders.empty())
    expect_name_in(folders, file);
  // Opened as a place first, which does nothing to a device and waits for no pipe.
  const rpc::unique_fd place{::open(file.c_str(), O_PATH | O_CLOEXEC)};
  if (!place)
    throw source_error{"no such file: " + file.string(), false, 404};
  if (!folders.empty())
    expect_in(folders, place, file);
  expect_regular(place, file);
  expect_stored(place, file);
  rpc::unique_fd readable{::open(link_to(place).c_str(), O_RDONLY | O_CLOEXEC)};
  if (!readable)
    throw source_error{"cannot be read: " + file.string() + ": " + std::strerror(errno), false};
  return readable;
}

std::string link_to(const rpc::unique_fd& file) {
  return "/proc/self/fd/" + std::to_string(file.get());
}

} // namespace mistify::fetching
