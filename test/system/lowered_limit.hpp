#pragma once

#include <sys/resource.h>

namespace mistify::test {

/// While it lives, started processes get this soft limit, which they can raise.
class lowered_limit {
public:
  lowered_limit(__rlimit_resource what, rlim_t soft) : what_{what} {
    ::getrlimit(what_, &before_);
    const rlimit lower{soft, before_.rlim_max};
    ::setrlimit(what_, &lower);
  }
  ~lowered_limit() { ::setrlimit(what_, &before_); }
  lowered_limit(const lowered_limit&) = delete;
  lowered_limit& operator=(const lowered_limit&) = delete;

private:
  __rlimit_resource what_;
  rlimit before_{};
};

} // namespace mistify::test
