#include "rpc/images/store_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>

namespace mistify::images {

namespace {

namespace fs = std::filesystem;

constexpr const char* elsewhere = "does not lie in the store";

bool is_below(const fs::path& folder, const fs::path& file) {
  const auto rest = file.lexically_relative(folder);
  return !rest.empty() && *rest.begin() != "." && *rest.begin() != "..";
}

fs::path link_to(const rpc::unique_fd& fd) {
  return "/proc/self/fd/" + std::to_string(fd.get());
}

rpc::unique_fd open_place(const fs::path& file, int more) {
  rpc::unique_fd place{::open(file.c_str(), O_PATH | O_CLOEXEC | more)};
  if (!place)
    throw std::system_error{errno, std::generic_category(), file.filename()};
  return place;
}

/// Opens the file that was checked; throws if another file has its name now.
disk_file open_behind(const rpc::unique_fd& place, fs::path file) {
  struct stat facts {};
  if (::fstat(place.get(), &facts) != 0 || !(S_ISREG(facts.st_mode) || S_ISBLK(facts.st_mode)))
    throw disk_refused{file.filename().string() + ": neither a file nor a block device"};
  rpc::unique_fd readable{::open(link_to(place).c_str(), O_RDONLY | O_CLOEXEC)};
  if (!readable)
    throw std::system_error{errno, std::generic_category(), file.filename()};
  return {std::move(readable), std::move(file), S_ISBLK(facts.st_mode)};
}

/// Resolves symbolic links in a path, except in a device's last part.
fs::path resolved(const fs::path& file, const store_root& root) {
  return root.devices ? fs::canonical(file.parent_path()) / file.filename() : fs::canonical(file);
}

[[noreturn]] void refuse(const fs::path& file, const std::string& reason) {
  throw disk_refused{file.filename().string() + ": " + reason};
}

void expect_plain_absolute(const fs::path& file) {
  if (!is_plain_text(file.native()))
    throw disk_refused{"a disk's path has control characters in it"};
  if (!file.is_absolute())
    refuse(file, "not an absolute path");
}

/// Where a root really is; empty if it is not there.
fs::path real_folder(const store_root& root) {
  std::error_code none;
  auto folder = fs::canonical(root.folder, none);
  return none ? fs::path{} : folder;
}

/// By the name alone: of what lies elsewhere nothing is asked, so that nobody learns here what there is.
void expect_named_in(const fs::path& file, const std::vector<store_root>& roots) {
  const auto name = file.lexically_normal();
  const auto names = [&](const fs::path& folder) { return !folder.empty() && is_below(folder, name); };
  if (std::ranges::none_of(roots, [&](const store_root& root) {
        return names(root.folder.lexically_normal()) || names(real_folder(root));
      }))
    refuse(file, elsewhere);
}

/// A name in the store that leads out of it, to nothing, is as one that leads to a file there.
[[noreturn]] void refuse_absent(const fs::path& file, const std::vector<store_root>& roots,
                                const std::error_code& why) {
  std::error_code none;
  const auto where = fs::weakly_canonical(file.parent_path(), none);
  const bool in_store = !none && std::ranges::any_of(roots, [&](const store_root& root) {
    const auto folder = real_folder(root);
    return !folder.empty() && (where == folder || is_below(folder, where));
  });
  refuse(file, in_store ? why.message() : elsewhere);
}

} // namespace

bool is_plain_text(std::string_view text) noexcept {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

disk_file open_disk(const fs::path& file) {
  return open_behind(open_place(file, 0), file);
}

void expect_no_link(const fs::path& file) {
  std::error_code none;
  if (fs::is_symlink(fs::symlink_status(file, none)))
    refuse(file, "leads to another file, and is no disk of its own");
}

disk_file open_in_store(const fs::path& file, const std::vector<store_root>& roots) {
  expect_plain_absolute(file);
  expect_named_in(file, roots);
  try {
    for (const auto& root : roots) {
      const auto folder = real_folder(root);
      if (folder.empty())
        continue;
      auto real = resolved(file, root);
      if (!is_below(folder, real))
        continue;
      const auto place = open_place(real, root.devices ? 0 : O_NOFOLLOW);
      if (!root.devices && fs::read_symlink(link_to(place)) != real)
        refuse(file, "was exchanged while it was looked at");
      auto opened = open_behind(place, std::move(real));
      if (opened.is_device == root.devices)
        return opened;
    }
  } catch (const std::system_error& e) {
    refuse_absent(file, roots, e.code());
  }
  refuse(file, elsewhere);
}

bool leads_into(const fs::path& file, const std::vector<store_root>& roots) {
  std::error_code none;
  const auto real = fs::weakly_canonical(file, none);
  return std::ranges::any_of(roots, [&](const store_root& root) {
    const auto folder = fs::weakly_canonical(root.folder, none);
    return is_below(folder, real) || is_below(root.folder.lexically_normal(), file.lexically_normal());
  });
}

} // namespace mistify::images
