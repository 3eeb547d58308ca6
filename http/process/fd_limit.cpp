#include "http/process/fd_limit.hpp"

#include "http/server/acceptor.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace mistify::http {

namespace {

/// For the database and its readers, pollers, the log, profiles and metrics, with a reserve.
constexpr std::size_t own_descriptors = 64;
constexpr std::size_t fewest_connections = 16;

} // namespace

std::size_t raise_descriptor_limit() noexcept {
  rlimit bound{};
  ::getrlimit(RLIMIT_NOFILE, &bound);
  const auto before = bound.rlim_cur;
  bound.rlim_cur = bound.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &bound) == 0 ? bound.rlim_max : before;
}

std::size_t connections_that_fit(std::size_t wanted, std::size_t descriptors, std::size_t calls) noexcept {
  const auto others = own_descriptors + acceptor::max_turned_away + calls;
  return std::min(wanted, std::max(fewest_connections, descriptors - std::min(descriptors, others)));
}

} // namespace mistify::http
