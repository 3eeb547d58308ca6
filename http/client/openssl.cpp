#include "http/client/openssl.hpp"

#include "http/client/failure.hpp"

#include <dlfcn.h>
#include <string>

namespace mistify::client {

namespace {

/// The library that the headers belong to.
std::string file_name() {
  return "libssl.so." + std::to_string(OPENSSL_SHLIB_VERSION);
}

[[noreturn]] void give_up() {
  const char* why = ::dlerror();
  throw failure{fault::tls, std::string{"https needs OpenSSL: "} + (why ? why : "it cannot be loaded")};
}

} // namespace

openssl::library::library() : handle_{::dlopen(file_name().c_str(), RTLD_NOW | RTLD_LOCAL)} {
  if (!handle_)
    give_up();
}

void* openssl::library::symbol(const char* name) const {
  auto* found = ::dlsym(handle_, name); // looks into libcrypto as well, which libssl needs
  if (!found)
    give_up();
  return found;
}

const openssl& openssl::loaded() {
  static const openssl all;
  return all;
}

} // namespace mistify::client
