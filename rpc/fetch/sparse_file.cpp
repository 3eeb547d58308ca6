#include "rpc/fetch/sparse_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/statvfs.h>
#include <system_error>

namespace mistify::fetching {

namespace {

constexpr std::size_t block_size = 64 * 1024;
constexpr std::uint64_t between_looks = 4 * 1024 * 1024;

[[noreturn]] void fail() {
  if (errno == ENOSPC || errno == EDQUOT)
    throw std::runtime_error{"no space left on device"};
  throw std::system_error{errno, std::generic_category(), "write"};
}

} // namespace

sparse_file::sparse_file(const std::filesystem::path& file, std::uint64_t keep_free)
  : fd_{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)}, keep_free_{keep_free} {
  if (!fd_)
    fail();
}

/// Every few megabytes.
void sparse_file::expect_room() {
  struct statvfs facts {};
  if (space_ < next_look_ || ::fstatvfs(fd_.get(), &facts) != 0)
    return;
  if (std::uint64_t{facts.f_bavail} * facts.f_frsize < keep_free_)
    throw std::runtime_error{"no space left on device"};
  next_look_ = space_ + between_looks;
}

void sparse_file::write_block(std::string_view block) {
  const auto at = size_;
  size_ += block.size();
  if (block.find_first_not_of('\0') == block.npos)
    return;
  space_ += block.size();
  expect_room();
  for (std::size_t done = 0; done < block.size();) {
    const auto n = ::pwrite(fd_.get(), block.data() + done, block.size() - done, static_cast<off_t>(at + done));
    if (n < 0 && errno != EINTR)
      fail();
    done += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
}

void sparse_file::add(std::string_view bytes) {
  while (!bytes.empty()) {
    if (held_.empty() && bytes.size() >= block_size) {
      write_block(bytes.substr(0, block_size));
      bytes.remove_prefix(block_size);
      continue;
    }
    const auto part = bytes.substr(0, block_size - held_.size());
    held_ += part;
    bytes.remove_prefix(part.size());
    if (held_.size() == block_size) {
      write_block(held_);
      held_.clear();
    }
  }
}

void sparse_file::restart() {
  held_.clear();
  size_ = space_ = next_look_ = 0;
  if (::ftruncate(fd_.get(), 0) != 0)
    fail();
}

void sparse_file::finish() {
  write_block(held_);
  held_.clear();
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0)
    fail();
}

} // namespace mistify::fetching
