#include "actors/cluster/agent_source.hpp"

#include "rpc/base/log.hpp"

#include <algorithm>
#include <exception>
#include <unistd.h>
#include <utility>

namespace mistify::actors::cluster {

namespace {

constexpr std::uint64_t megabyte = 1024 * 1024;

std::uint64_t configured(int name) {
  return static_cast<std::uint64_t>(std::max(0L, ::sysconf(name)));
}

resources size_of_host() {
  return {configured(_SC_PHYS_PAGES) * configured(_SC_PAGESIZE) / megabyte, 0, configured(_SC_NPROCESSORS_ONLN)};
}

} // namespace

picture agent_source::look() {
  try {
    guests_.refresh();
    failed_ = false;
  } catch (const std::exception& e) {
    if (!std::exchange(failed_, true))
      rpc::log::warning("the guests in the cluster are not brought up to date", {{"error", e.what()}});
  }
  picture out;
  out.total = size_of_host();
  const auto promised = guests_.promised();
  out.available = {out.total.memory - std::min(out.total.memory, promised.memory), 0,
                   out.total.cpu - std::min(out.total.cpu, promised.cpu)};
  out.guests = &guests_.states();
  return out;
}

} // namespace mistify::actors::cluster
