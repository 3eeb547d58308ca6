#include "rpc/agents/libvirt/domain_notes.hpp"

#include <libvirt/libvirt.h>

namespace mistify::agents {

void domain_notes::note_life(const std::string& uuid, int event, int detail) {
  const std::lock_guard lock{mutex_};
  if (event == VIR_DOMAIN_EVENT_CRASHED)
    at(uuid).crash = "panic";
  else if (event == VIR_DOMAIN_EVENT_STOPPED && detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED)
    at(uuid).crash = "panic";
  else if (event == VIR_DOMAIN_EVENT_STOPPED && detail == VIR_DOMAIN_EVENT_STOPPED_FAILED)
    at(uuid).crash = "killed";
  else if (event == VIR_DOMAIN_EVENT_STARTED)
    at(uuid).crash.clear();
  else if (event == VIR_DOMAIN_EVENT_UNDEFINED)
    rows_.erase(uuid);
}

void domain_notes::note_reset(const std::string& uuid) {
  const std::lock_guard lock{mutex_};
  ++at(uuid).resets;
}

void domain_notes::expect_resets() {
  const std::lock_guard lock{mutex_};
  hears_resets_ = true;
}

void domain_notes::miss_resets() {
  const std::lock_guard lock{mutex_};
  hears_resets_ = false;
  ++epoch_;
}

std::string domain_notes::crash_of(const std::string& uuid) const {
  const std::lock_guard lock{mutex_};
  const auto found = rows_.find(uuid);
  return found == rows_.end() || found->second.crash.empty() ? "crashed" : found->second.crash;
}

std::optional<domain_notes::reset_count> domain_notes::resets_of(const std::string& uuid) const {
  const std::lock_guard lock{mutex_};
  if (!hears_resets_)
    return std::nullopt;
  const auto found = rows_.find(uuid);
  return reset_count{epoch_, found == rows_.end() ? 0 : found->second.resets};
}

domain_notes::row& domain_notes::at(const std::string& uuid) {
  if (rows_.size() >= most && !rows_.contains(uuid))
    rows_.clear();
  return rows_[uuid];
}

} // namespace mistify::agents
