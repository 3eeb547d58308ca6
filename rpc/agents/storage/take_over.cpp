#include "rpc/agents/storage/take_over.hpp"

#include "rpc/agents/storage/file_access.hpp"
#include "rpc/base/unique_fd.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <pwd.h>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace mistify::agents::storage {

namespace fs = std::filesystem;

namespace {

using rpc::unique_fd;

constexpr int deepest = 32; // of folders, where names have a dozen parts at most

[[noreturn]] void fail(const fs::path& about) {
  throw std::system_error{errno, std::generic_category(), about.string()};
}

/// Before any thread starts, so that the shared buffer does no harm.
std::vector<uid_t> earlier_owners() {
  std::vector<uid_t> users{0};
  for (const auto* name : {"libvirt-qemu", "qemu"})
    if (const auto* found = ::getpwnam(name))
      users.push_back(found->pw_uid);
  return users;
}

class taker {
public:
  taker(store_owner to, dev_t device) : to_{to}, device_{device}, from_{earlier_owners()} {}

  void take_folder(const unique_fd& folder, const fs::path& within, int depth);
  std::size_t count() const noexcept { return count_; }

private:
  void take_entry(int parent, const char* name, const fs::path& within, int depth);
  bool take(const unique_fd& file, const struct stat& facts, mode_t mode, const fs::path& within);

  store_owner to_;
  dev_t device_;
  std::vector<uid_t> from_;
  std::size_t count_ = 0;
};

/// False where it is not to be taken.
bool taker::take(const unique_fd& file, const struct stat& facts, mode_t mode, const fs::path& within) {
  if (std::ranges::find(from_, facts.st_uid) == from_.end())
    return false;
  // The owner first: the kernel clears the bits of a mode that a new owner must not have.
  if (::fchown(file.get(), to_.user, to_.group) != 0 || ::fchmod(file.get(), mode) != 0)
    fail(within);
  ++count_;
  return true;
}

void taker::take_entry(int parent, const char* name, const fs::path& within, int depth) {
  const unique_fd entry{::openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  struct stat facts {};
  if (!entry || ::fstat(entry.get(), &facts) != 0 || facts.st_dev != device_)
    return; // a link, or it went meanwhile
  if (S_ISDIR(facts.st_mode))
    take_folder(entry, within, depth + 1);
  else if (S_ISREG(facts.st_mode) && facts.st_nlink == 1 && is_of_store(within))
    take(entry, facts, within.extension() == ".qcow2" ? 0660 : is_seed(within) ? 0440 : 0600, within);
}

/// The folder itself, last, where it is the store's or has something of it.
void taker::take_folder(const unique_fd& folder, const fs::path& within, int depth) {
  struct stat facts {};
  const std::unique_ptr<DIR, int (*)(DIR*)> entries{::fdopendir(::dup(folder.get())), ::closedir};
  if (!entries || ::fstat(folder.get(), &facts) != 0 || depth > deepest)
    fail(within);
  const bool is_root = within.empty();
  struct stat images {};
  const bool is_store =
    is_root ? ::fstatat(folder.get(), "images", &images, AT_SYMLINK_NOFOLLOW) == 0 : is_of_store(within);
  const auto before = count_;
  while (const auto* entry = ::readdir(entries.get())) {
    const std::string name{entry->d_name};
    if (name != "." && name != "..")
      take_entry(folder.get(), entry->d_name, within / name, depth);
  }
  if (is_store || count_ > before)
    take(folder, facts, 02750, within);
}

} // namespace

store_owner find_store_owner(const std::string& user, const std::string& group) {
  const auto shared = file_access::of_group(group).group();
  const auto* found = ::getpwnam(user.c_str());
  if (!found)
    throw std::invalid_argument{"--take-over: no such user: " + user};
  return {found->pw_uid, shared.value_or(found->pw_gid)};
}

std::size_t take_over_store(const fs::path& root, store_owner to) {
  const unique_fd folder{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  struct stat facts {};
  if (!folder && errno == ENOENT)
    return 0;
  if (!folder || ::fstat(folder.get(), &facts) != 0)
    fail(root);
  taker all{to, facts.st_dev};
  all.take_folder(folder, {}, 0);
  return all.count();
}

} // namespace mistify::agents::storage
