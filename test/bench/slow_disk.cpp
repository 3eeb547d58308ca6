// Loaded before a program's other libraries (LD_PRELOAD), it makes each sync of a file take a millisecond longer: about
// what a disk takes that writes to its medium, where a machine in a cloud answers from its host's memory.

#include "slow_disk.hpp"

#include <dlfcn.h>
#include <thread>
#include <unistd.h>

namespace {

int slowly(const char* name, int fd) {
  using sync = int (*)(int);
  const int result = reinterpret_cast<sync>(::dlsym(RTLD_NEXT, name))(fd);
  std::this_thread::sleep_for(mistify::bench::slow_sync);
  return result;
}

} // namespace

extern "C" int fsync(int fd) {
  return slowly("fsync", fd);
}

extern "C" int fdatasync(int fd) {
  return slowly("fdatasync", fd);
}
