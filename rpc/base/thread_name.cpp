#include "rpc/base/thread_name.hpp"

#include <array>
#include <cstring>
#include <pthread.h>
#include <unistd.h>

namespace mistify::rpc {

void name_thread(const char* name) noexcept {
  if (::gettid() == ::getpid())
    return;
  std::array<char, 16> fits{}; // what Linux keeps, with the zero at its end
  std::strncpy(fits.data(), name, fits.size() - 1);
  ::pthread_setname_np(::pthread_self(), fits.data());
}

} // namespace mistify::rpc
