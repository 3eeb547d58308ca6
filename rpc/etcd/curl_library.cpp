#include "rpc/etcd/curl_library.hpp"

#include "rpc/base/error.hpp"

#include <dlfcn.h>
#include <string>

namespace mistify::rpc::etcd {

namespace {

/// The name that libcurl's interface has had since 2006.
constexpr auto file_name = "libcurl.so.4";

[[noreturn]] void give_up() {
  const char* why = ::dlerror();
  throw failure{errc::unavailable, std::string{"a cluster needs libcurl: "} + (why ? why : "it cannot be loaded")};
}

void* open_library() {
  void* handle = ::dlopen(file_name, RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    give_up();
  return handle;
}

} // namespace

curl_library::curl_library() : handle_{open_library()} {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    throw failure{errc::unavailable, "a cluster needs libcurl: it cannot be set up"};
}

void* curl_library::symbol(const char* name) const {
  auto* found = ::dlsym(handle_, name);
  if (!found)
    give_up();
  return found;
}

const curl_library& curl_library::loaded() {
  static const curl_library all;
  return all;
}

} // namespace mistify::rpc::etcd
