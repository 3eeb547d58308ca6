#include "http/api/host_metrics.hpp"

#include <cmath>
#include <limits>
#include <string>

namespace mistify::http {

namespace {

using actors::host_state;
using actors::host_view;

constexpr double bytes_in_mb = 1024.0 * 1024.0;

/// A gauge of the same figure as in GET /host, in another unit.
void add(rpc::metrics::registry& to, const host_state& host, std::string_view name, std::string_view help,
         const char* kind, double unit, std::uint64_t (*figure)(const host_view&)) {
  to.add_function(rpc::metrics::kind::gauge, name, help,
                  [&host, unit, figure] { return unit * static_cast<double>(figure(host.view())); }, {{"kind", kind}});
}

/// A gauge of what guests may have: the host's size, times its ratio, less its reserve.
void add_limit(rpc::metrics::registry& to, const host_state& host, std::string_view name, std::string_view help,
               double unit, actors::capacity actors::host_capacity::*which) {
  to.add_function(rpc::metrics::kind::gauge, name, help,
                  [&host, unit, which] { return unit * static_cast<double>((host.capacity().*which).total); },
                  {{"kind", "limit"}});
}

std::uint64_t sum_of(const host_view& host, std::uint64_t rpc::store_info::*which) {
  std::uint64_t sum = 0;
  for (const auto& store : host.figures.stores)
    sum += store.*which;
  return sum;
}

void add_memory(rpc::metrics::registry& to, const host_state& host) {
  constexpr auto name = "mistify_host_memory_bytes",
                 help =
                   "Memory of the host (total, free), of guests that run (allocated) and of all (promised), and what "
                   "guests may have (limit).";
  add(to, host, name, help, "total", bytes_in_mb, [](const host_view& h) { return h.figures.host.memory.total; });
  add(to, host, name, help, "free", bytes_in_mb, [](const host_view& h) { return h.figures.host.memory.free; });
  add(to, host, name, help, "allocated", bytes_in_mb, [](const host_view& h) { return h.sums.allocated.memory; });
  add(to, host, name, help, "promised", bytes_in_mb, [](const host_view& h) { return h.sums.promised.memory; });
  add_limit(to, host, name, help, bytes_in_mb, &actors::host_capacity::memory);
}

void add_processors(rpc::metrics::registry& to, const host_state& host) {
  constexpr auto name = "mistify_host_cpus",
                 help =
                   "Processors of the host (total), of guests that run (allocated) and of all (promised), and what "
                   "guests may have (limit).";
  add(to, host, name, help, "total", 1, [](const host_view& h) { return h.figures.host.cpu.count; });
  add(to, host, name, help, "allocated", 1, [](const host_view& h) { return h.sums.allocated.cpu; });
  add(to, host, name, help, "promised", 1, [](const host_view& h) { return h.sums.promised.cpu; });
  add_limit(to, host, name, help, 1, &actors::host_capacity::cpu);
}

void add_disks(rpc::metrics::registry& to, const host_state& host) {
  constexpr auto name = "mistify_host_disk_bytes",
                 help = "Space of the stores (total, free), of all guests' disks (promised), and what guests may have "
                        "(limit).";
  add(to, host, name, help, "total", bytes_in_mb,
      [](const host_view& h) { return sum_of(h, &rpc::store_info::total); });
  add(to, host, name, help, "free", bytes_in_mb, [](const host_view& h) { return sum_of(h, &rpc::store_info::free); });
  add(to, host, name, help, "promised", bytes_in_mb, [](const host_view& h) { return h.sums.disk; });
  add_limit(to, host, name, help, bytes_in_mb, &actors::host_capacity::disk);
}

double seconds_of(const std::optional<host_state::clock::duration>& age) {
  return age ? std::chrono::duration<double>{*age}.count() : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

void add_host_metrics(rpc::metrics::registry& to, const host_state& host) {
  using enum rpc::metrics::kind;
  add_memory(to, host);
  add_processors(to, host);
  add_disks(to, host);
  to.add_function(gauge, "mistify_host_guests_running", "Guests that hold their memory.",
                  [&host] { return static_cast<double>(host.capacity().running); });
  to.add_function(gauge, "mistify_host_maintenance", "1 while the host is in maintenance.",
                  [&host] { return host.maintenance().on ? 1.0 : 0.0; });
  to.add_function(gauge, "mistify_host_figures_age_seconds",
                  "Age of the sub-agents' figures of the host; NaN if there are none.",
                  [&host] { return seconds_of(host.age()); });
}

} // namespace mistify::http
