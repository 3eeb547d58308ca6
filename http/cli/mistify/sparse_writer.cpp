#include "http/cli/mistify/sparse_writer.hpp"

#include "http/cli/mistify/exit_status.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
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

sparse_writer::sparse_writer(std::string file)
  : file_{std::move(file)}, part_{file_ + ".part"}, fd_{::open(part_.c_str(),
                                                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                                                               0600)} {
  if (fd_.get() < 0)
    fail();
}

void sparse_writer::fail() const {
  throw give_up{status::failed, part_ + ": " + std::generic_category().message(errno)};
}

void sparse_writer::write(std::string_view bytes) {
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
  if (::ftruncate(fd_.get(), 0) != 0)
    fail();
  size_ = 0;
  ++restarts_;
}

void sparse_writer::finish() {
  // The holes at the end count too.
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0 || ::fsync(fd_.get()) != 0 ||
      std::rename(part_.c_str(), file_.c_str()) != 0)
    fail();
}

} // namespace mistify::cli
