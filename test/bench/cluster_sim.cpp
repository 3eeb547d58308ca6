// mistify-cluster-sim: real registrations of made-up hosts against a real etcd, and what that costs.
#include "actors/cluster/registrar.hpp"
#include "rpc/base/log.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace mistify::bench {

namespace {

using namespace std::chrono_literals;
using namespace actors::cluster;
using clock = std::chrono::steady_clock;

struct wishes {
  std::vector<std::string> etcd;
  std::size_t hosts = 1000, guests = 5, rest = 60, away = 0, ttl = 120;
  pid_t pid = 0;
  std::string prefix = "/cluster-sim";
};

std::string uuid_of(std::size_t number, std::string_view kind) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*s000000-0000-4000-8000-%012zx", static_cast<int>(kind.size()),
                kind.data(), number);
  return text.data();
}

rpc::etcd::client_settings connection(const wishes& wanted) {
  return {wanted.etcd, "", "", {}};
}

/// A host that nothing happens on.
class fake_host final : public host_source {
public:
  explicit fake_host(std::size_t number, std::size_t guests) {
    for (std::size_t i = 0; i < guests; ++i)
      guests_[uuid_of(number * guests + i, "bb")] = {"running", "", uuid_of(i, "cc")};
  }
  picture look() override { return {{65'536, 1'000'000, 32}, {32'768, 500'000, 16}, &guests_}; }

private:
  guest_states guests_;
};

struct host {
  host(const wishes& wanted, std::size_t number)
    : shown{measured}, source{number, wanted.guests},
      made{std::in_place,
           registration_settings{wanted.prefix,
                                 uuid_of(number, "aa"),
                                 "sim",
                                 {"10.0.0.1", "255.0.0.0", "10.0.0.1", "02:00:00:00:00:01"},
                                 std::chrono::seconds{wanted.ttl}},
           rpc::etcd::make_client(rpc::etcd::api::v3, connection(wanted)), shown, source} {}

  rpc::metrics::registry measured;
  status shown;
  fake_host source;
  std::optional<registrar> made;
};
using hosts = std::deque<host>;

struct counts {
  std::uint64_t writes = 0, keepalives = 0, lists = 0, failures = 0, joined = 0;
  counts operator-(const counts& o) const {
    return {writes - o.writes, keepalives - o.keepalives, lists - o.lists, failures - o.failures, joined};
  }
};

counts count(hosts& all) {
  counts out;
  for (auto& one : all) {
    out.writes += one.shown.writes().value();
    out.keepalives += one.shown.keepalives().value();
    out.lists += one.shown.resyncs().value();
    out.failures += one.shown.failures().value();
    out.joined += one.shown.read().now == standing::joined ? 1 : 0;
  }
  return out;
}

double cpu_of_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Seconds of processor time; 0 for no process.
double cpu_of(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  std::string line;
  std::getline(in, line);
  std::istringstream fields{line.substr(std::min(line.size(), line.rfind(')') + 1))};
  std::string skipped;
  for (int i = 0; i < 11; ++i)
    fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string memory_of(const std::string& process) {
  std::ifstream in{"/proc/" + process + "/status"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmRSS:"))
      return std::to_string(std::stoul(line.substr(6)) / 1024) + " MB";
  return "?";
}

double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// Prints what happens until all hosts are joined. Returns the most lists in a second.
std::uint64_t await_all(const wishes& wanted, hosts& all, const char* what) {
  const auto begin = clock::now();
  const auto us = cpu_of_us(), etcd = cpu_of(wanted.pid);
  const auto first = count(all);
  auto last = first;
  std::uint64_t most = 0;
  for (;;) {
    std::this_thread::sleep_for(1s);
    const auto now = count(all);
    most = std::max(most, (now - last).lists);
    last = now;
    if (now.joined == all.size())
      break;
    if (seconds_since(begin) > 600)
      throw std::runtime_error{"only " + std::to_string(now.joined) + " hosts have joined after ten minutes"};
  }
  const auto made = last - first;
  std::printf(
    "%-28s %.0f s, %llu writes, %llu lists (%llu in the busiest second), %llu failures; processor: ours %.1f s, "
    "etcd's %.1f s\n",
    what, seconds_since(begin), static_cast<unsigned long long>(made.writes),
    static_cast<unsigned long long>(made.lists), static_cast<unsigned long long>(most),
    static_cast<unsigned long long>(made.failures), cpu_of_us() - us, cpu_of(wanted.pid) - etcd);
  std::fflush(stdout);
  return most;
}

void rest(const wishes& wanted, hosts& all) {
  std::this_thread::sleep_for(5s); // the last writes of the start
  const auto begin = clock::now();
  const auto us = cpu_of_us(), etcd = cpu_of(wanted.pid);
  const auto first = count(all);
  std::this_thread::sleep_for(std::chrono::seconds{wanted.rest});
  const auto made = count(all) - first;
  const auto time = seconds_since(begin);
  std::printf(
    "%-28s %.1f keepalives/s, %.2f writes/s; processor: ours %.1f %%, etcd's %.1f %%; memory: ours %s, etcd's %s\n",
    "at rest", static_cast<double>(made.keepalives) / time, static_cast<double>(made.writes) / time,
    100 * (cpu_of_us() - us) / time, 100 * (cpu_of(wanted.pid) - etcd) / time, memory_of("self").c_str(),
    wanted.pid ? memory_of(std::to_string(wanted.pid)).c_str() : "?");
  std::fflush(stdout);
}

/// One host dies; a watcher waits for its heartbeat to go.
void die(const wishes& wanted, hosts& all) {
  const auto watcher = rpc::etcd::make_client(rpc::etcd::api::v3, connection(wanted));
  const auto folder = keys{wanted.prefix, uuid_of(all.size() - 1, "aa")}.host();
  watcher->watch({folder}, watcher->list(folder).revision + 1);
  all.back().made.reset();
  const auto begin = clock::now();
  for (bool gone = false; !gone && seconds_since(begin) < 3.0 * static_cast<double>(wanted.ttl);)
    for (const auto& one : watcher->wait(1s).events)
      gone = gone || (one.removed && one.what.key == folder + "heartbeat");
  std::printf("%-28s noticed after %.1f s (TTL %zu s)\n", "a host dies", seconds_since(begin), wanted.ttl);
  std::fflush(stdout);
  all.pop_back();
}

/// The process stops and goes on: connections stay, nothing answers.
void go_away(const wishes& wanted, hosts& all, std::uint64_t rate_of_start) {
  ::kill(wanted.pid, SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds{wanted.away});
  const auto away = all.size() - count(all).joined;
  ::kill(wanted.pid, SIGCONT);
  std::printf("%-28s %zu of %zu hosts had noticed\n", "etcd away", static_cast<std::size_t>(away), all.size());
  const auto most = await_all(wanted, all, "etcd is back: all joined in");
  std::printf("%-28s %.2f of the start's\n", "the storm's busiest second",
              rate_of_start ? static_cast<double>(most) / static_cast<double>(rate_of_start) : 0.0);
}

void run(const wishes& wanted) {
  const auto cleaner = rpc::etcd::make_client(rpc::etcd::api::v3, connection(wanted));
  cleaner->remove_all(wanted.prefix + '/');
  const auto begin = clock::now();
  hosts all;
  for (std::size_t i = 0; i < wanted.hosts; ++i)
    all.emplace_back(wanted, i);
  std::printf("%zu hosts with %zu guests each, started within %.1f s\n", wanted.hosts, wanted.guests,
              seconds_since(begin));
  const auto most = await_all(wanted, all, "all joined in");
  rest(wanted, all);
  die(wanted, all);
  if (wanted.away > 0 && wanted.pid > 0)
    go_away(wanted, all, most);
  for (auto& one : all)
    one.made->resign(2s);
  cleaner->remove_all(wanted.prefix + '/');
}

/// Each host needs a few: two connections and what wakes its thread.
void raise_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

} // namespace

} // namespace mistify::bench

int main(int argc, char** argv) {
  using namespace mistify;
  bench::wishes wanted;
  CLI::App app{"Registers made-up hosts in a real etcd and measures what that costs"};
  app.add_option("--etcd", wanted.etcd, "URLs of etcd")->required()->delimiter(',');
  app.add_option("--hosts", wanted.hosts, "How many")->capture_default_str();
  app.add_option("--guests", wanted.guests, "Of each host")->capture_default_str();
  app.add_option("--ttl", wanted.ttl, "Seconds")->capture_default_str();
  app.add_option("--rest", wanted.rest, "Seconds of measuring at rest")->capture_default_str();
  app.add_option("--etcd-pid", wanted.pid, "Process of etcd, for its figures and for --away");
  app.add_option("--away", wanted.away, "Seconds that etcd is stopped; needs --etcd-pid");
  app.add_option("--prefix", wanted.prefix, "Of all keys; everything below it is removed")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  bench::raise_limit();
  rpc::log::set_level("error");
  try {
    bench::run(wanted);
  } catch (const std::exception& e) {
    std::cerr << "mistify-cluster-sim: " << e.what() << '\n';
    return 1;
  }
}
