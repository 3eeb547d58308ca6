#include "http/process/process_metrics.hpp"

#include "rpc/base/log_losses.hpp"

#include "http/server/server.hpp"
#include "store/guest_index.hpp"

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace mistify::http {

namespace {

namespace metrics = rpc::metrics;
using enum metrics::kind;

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

/// Returns a column of /proc/self/statm in bytes: 0 is the whole address space, 1 the resident memory (proc(5)).
double memory_bytes(int column) {
  std::ifstream in{"/proc/self/statm"};
  double pages = 0;
  for (int i = 0; i <= column; ++i)
    in >> pages;
  return in ? pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) : 0;
}

double entries_of(const char* folder) {
  std::error_code error;
  return static_cast<double>(std::distance(std::filesystem::directory_iterator{folder, error}, {}));
}

/// Subtracts the descriptor used for reading the folder.
double open_descriptors() {
  return std::max(0.0, entries_of("/proc/self/fd") - 1);
}

double most_descriptors() {
  rlimit bound{};
  ::getrlimit(RLIMIT_NOFILE, &bound);
  return static_cast<double>(bound.rlim_cur);
}

double seconds_since_epoch() {
  return std::chrono::duration<double>{std::chrono::system_clock::now().time_since_epoch()}.count();
}

} // namespace

void add_process_metrics(metrics::registry& to) {
  to.add_function(gauge, "mistify_build_info", "The version; always 1.", [] { return 1.0; },
                  {{"version", MISTIFY_VERSION}});
  to.add_function(counter, "process_cpu_seconds_total", "Processor time, of user and system.", cpu_seconds);
  to.add_function(gauge, "process_resident_memory_bytes", "Memory that is resident.", [] { return memory_bytes(1); });
  to.add_function(gauge, "process_virtual_memory_bytes", "Size of the address space.", [] { return memory_bytes(0); });
  to.add_function(gauge, "process_open_fds", "Open file descriptors.", open_descriptors);
  to.add_function(gauge, "process_max_fds", "The most file descriptors that may be open.", most_descriptors);
  to.add_function(gauge, "process_threads", "Threads.", [] { return entries_of("/proc/self/task"); });
  constexpr auto lost = "mistify_log_lost_lines_total", of_lost = "Lines of the log that nobody took in time.";
  to.add_function(counter, lost, of_lost, [] { return static_cast<double>(rpc::log::lost().audit); },
                  {{"kind", "audit"}});
  to.add_function(counter, lost, of_lost, [] { return static_cast<double>(rpc::log::lost().other); },
                  {{"kind", "other"}});
  to.add_function(gauge, "process_start_time_seconds", "When the process began, in seconds since 1970.",
                  [begin = seconds_since_epoch()] { return begin; });
}

void add_server_metrics(metrics::registry& to, const server& of, const store::guest_index& guests) {
  const auto add = [&](metrics::kind kind, const char* name, const char* help, auto member) {
    to.add_function(kind, name, help, [&of, member] { return static_cast<double>(of.stats().*member); });
  };
  add(gauge, "mistify_http_connections", "Open connections, idle ones included.", &server_stats::open);
  add(gauge, "mistify_http_parked_requests", "Requests that wait for an actor, without a thread.",
      &server_stats::parked);
  add(gauge, "mistify_http_downloads", "Downloads that run.", &server_stats::downloads);
  add(gauge, "mistify_http_event_readers", "Clients that read events.", &server_stats::live);
  add(gauge, "mistify_http_buffered_bytes", "Of larger requests in memory.", &server_stats::buffered);
  add(counter, "mistify_http_refused_total",
      "Requests and connections that were refused before a route was looked for: malformed, too large, slow or many.",
      &server_stats::refused);
  add(gauge, "mistify_http_waiting_bytes", "Of answers that wait for clients.", &server_stats::waiting);
  add(counter, "mistify_http_slow_clients_total",
      "Connections that were closed because their client took what was sent too slowly.", &server_stats::dropped);
  to.add_function(gauge, "mistify_guests", "Guests that are stored.",
                  [&guests] { return static_cast<double>(guests.size()); });
}

} // namespace mistify::http
