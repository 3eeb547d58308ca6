#include "actors/cluster/agent_source.hpp"

#include "rpc/base/log.hpp"

#include <exception>
#include <utility>

namespace mistify::actors::cluster {

room room_of(const host_capacity& has) noexcept {
  room out{{has.memory.total, has.disk.total, has.cpu.total}, {}};
  if (!has.maintenance.on)
    out.available = {has.memory.free(), has.disk.free(), has.cpu.free()};
  return out;
}

picture agent_source::look() {
  try {
    guests_.refresh();
    failed_ = false;
  } catch (const std::exception& e) {
    if (!std::exchange(failed_, true))
      rpc::log::warning("the guests in the cluster are not brought up to date", {{"error", e.what()}});
  }
  const auto has = room_of(host_.capacity());
  return {has.total, has.available, &guests_.states()};
}

} // namespace mistify::actors::cluster
