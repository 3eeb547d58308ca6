#include "rpc/base/host_time.hpp"

#include <ctime>
#include <fstream>

namespace mistify::rpc {

namespace {

constexpr auto boot_id_file = "/proc/sys/kernel/random/boot_id";

std::string read_boot_id() {
  std::string id;
  std::getline(std::ifstream{boot_id_file}, id);
  return id.empty() ? "unknown" : id;
}

} // namespace

host_time host_now() {
  static const auto boot = read_boot_id();
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return {boot, std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

} // namespace mistify::rpc
