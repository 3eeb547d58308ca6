#pragma once

// Its macros would check the types of options, but only of functions that are linked.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

namespace mistify::rpc::etcd {

/// The functions of libcurl that a session needs, by their own names. The library is loaded with the first session: it
/// brings thirty others, which take a third of the time in which an agent starts, and few agents are in a cluster.
class curl_library {
public:
  /// Throws `failure{unavailable}` if the library cannot be loaded. Thread-safe.
  static const curl_library& loaded();

private:
  curl_library();
  void* symbol(const char* name) const;

  void* const handle_; // never closed: libraries below register work for the end of the process

public:
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declared name takes none.
#define MISTIFY_CURL(name) decltype(&::name) name = reinterpret_cast<decltype(&::name)>(symbol(#name))
  MISTIFY_CURL(curl_global_init);
  MISTIFY_CURL(curl_easy_init);
  MISTIFY_CURL(curl_easy_cleanup);
  MISTIFY_CURL(curl_easy_setopt);
  MISTIFY_CURL(curl_easy_getinfo);
  MISTIFY_CURL(curl_easy_strerror);
  MISTIFY_CURL(curl_slist_append);
  MISTIFY_CURL(curl_slist_free_all);
  MISTIFY_CURL(curl_multi_init);
  MISTIFY_CURL(curl_multi_cleanup);
  MISTIFY_CURL(curl_multi_setopt);
  MISTIFY_CURL(curl_multi_add_handle);
  MISTIFY_CURL(curl_multi_remove_handle);
  MISTIFY_CURL(curl_multi_perform);
  MISTIFY_CURL(curl_multi_poll);
  MISTIFY_CURL(curl_multi_info_read);
  MISTIFY_CURL(curl_multi_wakeup);
#undef MISTIFY_CURL
};

} // namespace mistify::rpc::etcd
