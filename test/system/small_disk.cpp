#include "small_disk.hpp"

#include <cerrno>
#include <fstream>
#include <string>
#include <sys/mount.h>
#include <system_error>

namespace mistify::test {

namespace {

constexpr auto filler = "filler";

} // namespace

small_disk::small_disk() {
  if (::mount("none", path().c_str(), "tmpfs", 0, "size=4m") != 0)
    throw std::system_error{errno, std::generic_category(), "mount"};
}

small_disk::~small_disk() {
  ::umount2(path().c_str(), MNT_DETACH);
}

void small_disk::fill() const {
  std::ofstream out{path() / filler, std::ios::binary};
  const std::string page(4096, 'x');
  while (out.write(page.data(), page.size()).flush()) {
  }
}

void small_disk::make_room() const {
  std::filesystem::remove(path() / filler);
}

} // namespace mistify::test
