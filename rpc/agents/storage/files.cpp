#include "rpc/agents/storage/files.hpp"

#include "rpc/base/unique_fd.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

namespace mistify::agents::storage {

namespace {

using std::filesystem::path;

[[noreturn]] void fail(const path& about) {
  throw std::system_error{errno, std::generic_category(), about.filename()};
}

void sync(const path& what) {
  const rpc::unique_fd fd{::open(what.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd || ::fsync(fd.get()) != 0)
    fail(what);
}

} // namespace

void publish(const path& complete, const path& as) {
  sync(complete);
  if (::renameat2(AT_FDCWD, complete.c_str(), AT_FDCWD, as.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST)
      throw std::runtime_error{as.stem().string() + " exists already"};
    fail(as);
  }
  sync(as.parent_path());
}

void replace(const path& complete, const path& as) {
  sync(complete);
  if (::rename(complete.c_str(), as.c_str()) != 0)
    fail(as);
  sync(as.parent_path());
}

void write_whole(const path& file, std::string_view text) {
  const path beside = file.string() + ".new";
  {
    const rpc::unique_fd fd{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      fail(beside);
  }
  replace(beside, file);
}

std::string read_whole(const path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace mistify::agents::storage
