#include "store/database_files.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace mistify::store {

namespace {

namespace fs = std::filesystem;

constexpr std::array journals{"-journal", "-wal", "-shm"};

[[noreturn]] void refuse(const std::string& what, const std::string& path, const std::error_code& why) {
  throw rpc::failure{rpc::errc::storage_failed, "cannot " + what + ' ' + path + ": " + why.message()};
}

std::error_code last_error() {
  return {errno, std::generic_category()};
}

rpc::unique_fd open_to_read(const std::string& path) {
  // Does not wait for the writer if the path is a pipe.
  rpc::unique_fd opened{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!opened)
    refuse("read", path, last_error());
  return opened;
}

/// Takes SQLite's shared lock on the database, so that no process writes to it: the bytes of the lock-byte page of
/// its file format. The lock is released when this process closes any descriptor of the file.
void lock_against_writers(int descriptor, const std::string& path) {
  struct flock shared {};
  shared.l_type = F_RDLCK;
  shared.l_whence = SEEK_SET;
  shared.l_start = 0x40000002;
  shared.l_len = 510;
  if (fcntl(descriptor, F_SETLK, &shared) != 0)
    refuse("lock", path, last_error());
}

/// Not `std::filesystem::copy`: it reports "input/output error" for a full disk.
void copy_bytes(int from, const std::string& source, int to, const std::string& copy) {
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const auto count = read(from, buffer.data(), buffer.size());
    if (count == 0)
      return;
    if (count < 0)
      refuse("read", source, last_error());
    for (ssize_t written = 0; written < count;) {
      const auto step = write(to, buffer.data() + written, static_cast<std::size_t>(count - written));
      if (step < 0)
        refuse("write", copy, last_error());
      written += step;
    }
  }
}

void copy_file(const rpc::unique_fd& from, const std::string& source, const std::string& copy) {
  struct stat status {};
  if (fstat(from.get(), &status) != 0)
    refuse("read", source, last_error());
  // The owner must be able to use the copy even if the file is read-only.
  const auto mode = (status.st_mode & 0777) | S_IRUSR | S_IWUSR;
  const rpc::unique_fd to{open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!to || fchmod(to.get(), mode) != 0)
    refuse("make", copy, last_error());
  copy_bytes(from.get(), source, to.get(), copy);
}

void remove_file(const std::string& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error)
    refuse("remove", path, error);
}

void rename_file(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error)
    refuse("make", to, error);
}

bool same_bytes(const std::string& one, const std::string& other) {
  std::error_code error;
  if (fs::file_size(one, error) != fs::file_size(other, error) || error)
    return false;
  std::ifstream a{one, std::ios::binary};
  std::ifstream b{other, std::ios::binary};
  using bytes = std::istreambuf_iterator<char>;
  return std::equal(bytes{a}, bytes{}, bytes{b}, bytes{}) && a && b;
}

} // namespace

scratch_file::scratch_file(std::string path) : path_{std::move(path)} {
  remove_journals(path_);
  remove_file(path_);
}

scratch_file::~scratch_file() {
  unlink(path_.c_str());
  for (auto suffix : journals)
    unlink((path_ + suffix).c_str());
}

void copy_database(const std::string& from, const std::string& to) {
  const auto file = open_to_read(from);
  std::error_code error;
  if (!fs::is_regular_file(from, error))
    throw rpc::failure{rpc::errc::storage_failed, from + " is no regular file"};
  lock_against_writers(file.get(), from);
  for (const std::string suffix : {"-journal", "-wal"})
    if (fs::exists(from + suffix, error))
      copy_file(open_to_read(from + suffix), from + suffix, to + suffix);
  copy_file(file, from, to);
}

void copy_permissions(const std::string& from, const std::string& to) {
  std::error_code error;
  const auto status = fs::status(from, error);
  if (!error)
    fs::permissions(to, status.permissions(), error);
  if (error)
    refuse("set the permissions of", to, error);
}

void remove_journals(const std::string& database) {
  for (auto suffix : journals)
    remove_file(database + suffix);
}

void sync_to_disk(const std::string& path) {
  auto opened = open_to_read(path);
  if (fsync(opened.get()) != 0)
    refuse("write", path, last_error());
}

std::string keep_as_original(const std::string& copy, const std::string& path) {
  auto name = path + ".original";
  std::error_code error;
  for (int i = 1; fs::exists(fs::symlink_status(name, error)); ++i) {
    if (same_bytes(copy, name))
      return name;
    name = path + ".original." + std::to_string(i);
  }
  rename_file(copy, name);
  return name;
}

void put_in_place(const std::string& from, const std::string& to) {
  const auto folder = fs::absolute(to).parent_path().string();
  // Makes the names of earlier files durable first, such as the copy of the replaced file.
  sync_to_disk(folder);
  rename_file(from, to);
  sync_to_disk(folder);
}

} // namespace mistify::store
