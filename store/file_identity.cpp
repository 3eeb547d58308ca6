#include "store/file_identity.hpp"

#include <sys/stat.h>

namespace mistify::store {

file_identity identity_of(const std::string& path) noexcept {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? file_identity{status.st_dev, status.st_ino} : file_identity{};
}

file_identity identity_of(int descriptor) noexcept {
  struct stat status {};
  return fstat(descriptor, &status) == 0 ? file_identity{status.st_dev, status.st_ino} : file_identity{};
}

} // namespace mistify::store
