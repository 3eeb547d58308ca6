#include "http/api/host_metrics.hpp"

#include <cmath>
#include <limits>
#include <string>

namespace mistify::http {

namespace {

using actors::host_capacity;
using actors::host_state;

constexpr double bytes_in_mb = 1024.0 * 1024.0;

void add_resource(rpc::metrics::registry& to, const host_state& host, std::string_view name, std::string_view help,
                  double unit, actors::capacity host_capacity::*which) {
  const auto add = [&](const char* kind, std::uint64_t actors::capacity::*value) {
    to.add_function(rpc::metrics::kind::gauge, name, help,
                    [&host, unit, which, value] { return unit * static_cast<double>(host.capacity().*which.*value); },
                    {{"kind", kind}});
  };
  add("total", &actors::capacity::total);
  add("allocated", &actors::capacity::allocated);
  add("promised", &actors::capacity::promised);
}

double seconds_of(const std::optional<host_state::clock::duration>& age) {
  return age ? std::chrono::duration<double>{*age}.count() : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

void add_host_metrics(rpc::metrics::registry& to, const host_state& host) {
  using enum rpc::metrics::kind;
  add_resource(to, host, "mistify_host_memory_bytes",
               "Memory that guests may have in total, and of guests that run (allocated) and of all (promised).",
               bytes_in_mb, &host_capacity::memory);
  add_resource(to, host, "mistify_host_cpus",
               "Processors that guests may have in total, and of guests that run and of all.", 1, &host_capacity::cpu);
  add_resource(to, host, "mistify_host_disk_bytes", "Disk space that guests may have in total, and of all their disks.",
               bytes_in_mb, &host_capacity::disk);
  to.add_function(gauge, "mistify_host_guests_running", "Guests that hold their memory.",
                  [&host] { return static_cast<double>(host.capacity().running); });
  to.add_function(gauge, "mistify_host_maintenance", "1 while the host is in maintenance.",
                  [&host] { return host.maintenance().on ? 1.0 : 0.0; });
  to.add_function(gauge, "mistify_host_figures_age_seconds",
                  "Age of the sub-agents' figures of the host; NaN if there are none.",
                  [&host] { return seconds_of(host.age()); });
}

} // namespace mistify::http
