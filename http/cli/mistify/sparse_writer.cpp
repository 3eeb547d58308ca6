#include "http/cli/mistify/sparse_writer.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/part_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace mistify::cli {

namespace {

/// What file systems allocate at least.
constexpr std::uint64_t block = 4096;

bool all_zero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

} // namespace

sparse_writer::sparse_writer(std::string place) : place_{std::move(place)}, part_{part_of(place_)} {}

sparse_writer::~sparse_writer() {
  if (fd_ && size_ == 0)
    ::unlink(part_.c_str());
}

void sparse_writer::open() {
  if (!fd_)
    fd_ = open_part(part_);
}

void sparse_writer::fail() const {
  throw give_up{status::failed, part_ + ": " + std::generic_category().message(errno)};
}

void sparse_writer::write(std::string_view bytes) {
  if (!bytes.empty())
    open();
  while (!bytes.empty()) {
    const auto rest = std::min<std::uint64_t>(block - size_ % block, bytes.size());
    const auto piece = bytes.substr(0, rest);
    if (!all_zero(piece))
      put(piece);
    size_ += rest;
    bytes.remove_prefix(rest);
  }
}

void sparse_writer::put(std::string_view bytes) {
  for (auto at = static_cast<off_t>(size_); !bytes.empty();) {
    const auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      fail();
    at += n;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void sparse_writer::restart() {
  if (fd_ && ::ftruncate(fd_.get(), 0) != 0)
    fail();
  size_ = 0;
  ++restarts_;
}

void sparse_writer::finish() {
  open();
  if (download_place(place_) != place_) // what was put there meanwhile stays
    throw give_up{status::failed, place_ + ": has become a link; " + part_ + " has all bytes"};
  // The holes at the end count too.
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0 || !unmark_part(fd_.get()) || ::fsync(fd_.get()) != 0 ||
      std::rename(part_.c_str(), place_.c_str()) != 0)
    fail();
  fd_ = {};
}

} // namespace mistify::cli
