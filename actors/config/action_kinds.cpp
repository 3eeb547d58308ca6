#include "actors/config/config.hpp"

#include <algorithm>
#include <array>

namespace mistify::actors {

namespace {

using enum action_type;
using enum record_effect;

constexpr auto nothing = record_effect::none;
constexpr auto on = power_wish::on, off = power_wish::off;

/// Every action that a config may define. Actions on containers are the same, with names of their own.
constexpr std::array kinds{
  action_kind{"create", async, action_subject::guest, creates},
  action_kind{"delete", async, action_subject::guest, deletes, off},
  action_kind{"reboot", async, action_subject::guest, nothing, on},
  action_kind{"restart", async, action_subject::guest, nothing, on},
  action_kind{"poweroff", async, action_subject::guest, nothing, off},
  action_kind{"shutdown", async, action_subject::guest, nothing, off},
  action_kind{"start", async, action_subject::guest, nothing, on},
  action_kind{"suspend", async, action_subject::guest},
  action_kind{"resume", async, action_subject::guest, nothing, on},
  action_kind{"hibernate", async, action_subject::guest, nothing, off},
  action_kind{"update", async, action_subject::guest, changes},
  action_kind{"attachDisk", async, action_subject::guest, changes},
  action_kind{"detachDisk", async, action_subject::guest, changes},
  action_kind{"resizeDisk", async, action_subject::guest, changes},
  action_kind{"attachNic", async, action_subject::guest, changes},
  action_kind{"detachNic", async, action_subject::guest, changes},
  action_kind{"adopt", async, action_subject::guest, adopts},
  action_kind{"readopt", async, action_subject::guest},
  action_kind{"containerCreate", async, action_subject::guest, creates},
  action_kind{"containerDelete", async, action_subject::guest, deletes, off},
  action_kind{"containerReboot", async, action_subject::guest, nothing, on},
  action_kind{"containerRestart", async, action_subject::guest, nothing, on},
  action_kind{"containerPoweroff", async, action_subject::guest, nothing, off},
  action_kind{"containerShutdown", async, action_subject::guest, nothing, off},
  action_kind{"containerStart", async, action_subject::guest, nothing, on},
  action_kind{"containerSuspend", async, action_subject::guest},
  action_kind{"containerResume", async, action_subject::guest, nothing, on},
  action_kind{"containerHibernate", async, action_subject::guest, nothing, off},
  action_kind{"containerUpdate", async, action_subject::guest, changes},
  action_kind{"containerAttachDisk", async, action_subject::guest, changes},
  action_kind{"containerDetachDisk", async, action_subject::guest, changes},
  action_kind{"containerResizeDisk", async, action_subject::guest, changes},
  action_kind{"containerAttachNic", async, action_subject::guest, changes},
  action_kind{"containerDetachNic", async, action_subject::guest, changes},
  action_kind{"deleteImage", async, action_subject::image},
  action_kind{"fetchImage", async, action_subject::image},
  action_kind{"containerDeleteImage", async, action_subject::image},
  action_kind{"containerFetchImage", async, action_subject::image},
  action_kind{"createSnapshot", async, action_subject::snapshot},
  action_kind{"deleteSnapshot", async, action_subject::snapshot},
  action_kind{"rollbackSnapshot", async, action_subject::snapshot},
  action_kind{"cpuMetrics", info, action_subject::metrics},
  action_kind{"nicMetrics", info, action_subject::metrics},
  action_kind{"diskMetrics", info, action_subject::metrics},
  action_kind{"containerCpuMetrics", info, action_subject::metrics},
  action_kind{"containerNicMetrics", info, action_subject::metrics},
  action_kind{"containerDiskMetrics", info, action_subject::metrics},
  action_kind{"listImages", info, action_subject::image},
  action_kind{"getImage", info, action_subject::image},
  action_kind{"containerListImages", info, action_subject::image},
  action_kind{"containerGetImage", info, action_subject::image},
  action_kind{"listSnapshots", info, action_subject::snapshot},
  action_kind{"getSnapshot", info, action_subject::snapshot},
  action_kind{"pending", info, action_subject::guest},
  action_kind{"containerPending", info, action_subject::guest},
  action_kind{"hostInfo", info, action_subject::host},
  action_kind{"listUnmanaged", info, action_subject::host},
  action_kind{"downloadSnapshot", stream, action_subject::snapshot},
  action_kind{"guestLog", stream, action_subject::guest},
  action_kind{"containerGuestLog", stream, action_subject::guest},
};

} // namespace

std::span<const action_kind> action_kinds() noexcept {
  return kinds;
}

const action_kind* find_action_kind(std::string_view name) noexcept {
  const auto* row = std::find_if(kinds.begin(), kinds.end(), [&](const action_kind& k) { return k.name == name; });
  return row == kinds.end() ? nullptr : row;
}

} // namespace mistify::actors
