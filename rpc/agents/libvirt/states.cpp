#include "rpc/agents/libvirt/states.hpp"

#include "rpc/agents/libvirt/handles.hpp"

#include <array>

namespace mistify::agents {

virDomainState state_of(virDomainPtr d) {
  int state = 0;
  must(virDomainGetState(d, &state, nullptr, 0));
  return static_cast<virDomainState>(state);
}

bool is_on(virDomainPtr d) {
  return must(virDomainIsActive(d)) != 0;
}

std::string state_name(virDomainPtr d) {
  int state = 0, reason = 0;
  must(virDomainGetState(d, &state, &reason, 0));
  switch (state) {
  case VIR_DOMAIN_RUNNING: return "running";
  case VIR_DOMAIN_BLOCKED: return "blocked";
  case VIR_DOMAIN_PAUSED: return "paused";
  case VIR_DOMAIN_SHUTDOWN: return "shutdown";
  case VIR_DOMAIN_SHUTOFF: return reason == VIR_DOMAIN_SHUTOFF_CRASHED ? "crashed" : "shutoff";
  case VIR_DOMAIN_CRASHED: return "crashed";
  case VIR_DOMAIN_PMSUSPENDED: return "suspended";
  default: return "unknown";
  }
}

namespace {

/// libvirt hands out as many as there are disks; no guest has more.
constexpr unsigned most_disks = 64;

/// Calls `look` with each disk of the domain that has an error.
template <class Look>
void each_disk_error(virDomainPtr d, Look look) {
  std::array<virDomainDiskError, most_disks> errors{};
  const int count = virDomainGetDiskErrors(d, errors.data(), most_disks, 0);
  for (int i = 0; i < count; ++i) {
    const text_ptr device{errors.at(static_cast<std::size_t>(i)).disk};
    look(std::string{device.get()}, errors.at(static_cast<std::size_t>(i)).error);
  }
}

constexpr auto note_uri = "https://mistify.io/xmlns/suspended/1.0";

bool is_noted_suspended(virDomainPtr d) {
  return text_ptr{virDomainGetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, note_uri, VIR_DOMAIN_AFFECT_LIVE)} != nullptr;
}

std::string io_error_of(virDomainPtr d) {
  std::string reason;
  each_disk_error(d, [&](const std::string& device, int error) {
    const bool full = error == VIR_DOMAIN_DISK_ERROR_NO_SPACE;
    if (full || reason.empty())
      reason = (full ? "io-error:ENOSPC:" : "io-error:EIO:") + device;
  });
  return reason.empty() ? "io-error" : reason;
}

std::string why_paused(virDomainPtr d, int reason) {
  switch (reason) {
  case VIR_DOMAIN_PAUSED_USER: return "user";
  case VIR_DOMAIN_PAUSED_MIGRATION: return "migrating";
  case VIR_DOMAIN_PAUSED_IOERROR: return is_noted_suspended(d) ? "user" : io_error_of(d);
  case VIR_DOMAIN_PAUSED_WATCHDOG: return "watchdog";
  case VIR_DOMAIN_PAUSED_CRASHED: return "panic";
  default: return {};
  }
}

std::string why_off(virDomainPtr d, int reason, const domain_notes& notes) {
  switch (reason) {
  case VIR_DOMAIN_SHUTOFF_SHUTDOWN: return "shutdown";
  case VIR_DOMAIN_SHUTOFF_DESTROYED: return "user";
  case VIR_DOMAIN_SHUTOFF_SAVED: return "hibernated";
  case VIR_DOMAIN_SHUTOFF_MIGRATED: return "migrated";
  case VIR_DOMAIN_SHUTOFF_FAILED: return "failed";
  case VIR_DOMAIN_SHUTOFF_CRASHED: {
    char uuid[VIR_UUID_STRING_BUFLEN];
    return virDomainGetUUIDString(d, uuid) == 0 ? notes.crash_of(uuid) : "crashed";
  }
  default: return {};
  }
}

} // namespace

std::string state_reason(virDomainPtr d, const domain_notes& notes) {
  int state = 0, reason = 0;
  must(virDomainGetState(d, &state, &reason, 0));
  switch (state) {
  case VIR_DOMAIN_PAUSED: return why_paused(d, reason);
  case VIR_DOMAIN_SHUTOFF: return why_off(d, reason, notes);
  case VIR_DOMAIN_CRASHED: return reason == VIR_DOMAIN_CRASHED_PANICKED ? "panic" : "crashed";
  default: return {};
  }
}

void note_suspended(virDomainPtr d, bool suspended) {
  if (suspended != is_noted_suspended(d))
    must(virDomainSetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, suspended ? "<suspended/>" : nullptr, "mistify", note_uri,
                              VIR_DOMAIN_AFFECT_LIVE));
}

void go_on(virDomainPtr d) {
  note_suspended(d, false);
  must(virDomainResume(d));
}

std::vector<std::string> full_disks(virDomainPtr d) {
  int state = 0, reason = 0;
  must(virDomainGetState(d, &state, &reason, 0));
  std::vector<std::string> devices;
  if (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_IOERROR && !is_noted_suspended(d))
    each_disk_error(d, [&](const std::string& device, int error) {
      if (error == VIR_DOMAIN_DISK_ERROR_NO_SPACE)
        devices.push_back(device);
    });
  return devices;
}

} // namespace mistify::agents
