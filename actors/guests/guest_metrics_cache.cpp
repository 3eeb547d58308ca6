#include "actors/guests/guest_metrics_cache.hpp"

#include "actors/guests/metric_devices.hpp"
#include "rpc/base/error.hpp"

#include <algorithm>
#include <utility>

namespace mistify::actors {

namespace {

/// Reads a sub-agent's answer about one kind of metrics into `to`.
void read(const rpc::json::node& result, figure_kind kind, std::size_t most, guest_metrics& to) {
  result.members("result"); // throws unless it is an object
  switch (kind) {
  case figure_kind::cpu: to.cpus = processors_of(result.find("cpu"), most); break;
  case figure_kind::disk: to.disks = disks_of(result.find("disk"), most); break;
  case figure_kind::nic: to.nics = nics_of(result.find("nic"), most); break;
  }
  to.taken[static_cast<std::size_t>(kind)] = guest_metrics::clock::now();
}

void clear(guest_metrics& of, figure_kind kind) {
  switch (kind) {
  case figure_kind::cpu: of.cpus.clear(); break;
  case figure_kind::disk: of.disks.clear(); break;
  case figure_kind::nic: of.nics.clear(); break;
  }
  of.taken[static_cast<std::size_t>(kind)].reset();
}

} // namespace

std::optional<guest_metrics::clock::time_point> guest_metrics::oldest() const {
  std::optional<clock::time_point> first;
  for (const auto& one : taken)
    if (one && (!first || *one < *first))
      first = one;
  return first;
}

void guest_metrics_cache::keep(const std::string& guest, figure_kind kind, const rpc::json::node& result) {
  try {
    change(guest, [&](guest_metrics& figures) { read(result, kind, most_devices_, figures); });
  } catch (const rpc::failure& e) {
    throw rpc::failure{rpc::errc::sub_agent_failed, "unusable answer of the sub-agent: " + e.message()};
  }
}

void guest_metrics_cache::drop(const std::string& guest, figure_kind kind) {
  change(guest, [&](guest_metrics& figures) { clear(figures, kind); });
}

/// Changes a copy; readers continue with the previous version.
void guest_metrics_cache::change(const std::string& guest, const std::function<void(guest_metrics&)>& how) {
  const std::lock_guard lock{mutex_};
  auto& place = entries_[guest];
  auto changed = place ? std::make_shared<guest_metrics>(*place) : std::make_shared<guest_metrics>();
  changed->guest = guest;
  how(*changed);
  place = std::move(changed);
}

void guest_metrics_cache::retain(const std::function<bool(const std::string& guest)>& is_there) {
  const std::lock_guard lock{mutex_};
  std::erase_if(entries_, [&](const auto& row) { return !is_there(row.first); });
}

std::vector<guest_metrics_cache::entry> guest_metrics_cache::all() const {
  const std::lock_guard lock{mutex_};
  std::vector<entry> found;
  found.reserve(entries_.size());
  for (const auto& [guest, figures] : entries_)
    if (figures) // null if its first answer was not readable
      found.push_back(figures);
  return found;
}

} // namespace mistify::actors
