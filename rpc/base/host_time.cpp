#include "rpc/base/host_time.hpp"

#include <ctime>
#include <fstream>
#include <random>

namespace mistify::rpc {

namespace {

std::string boot_of_process() {
  auto id = read_boot_id();
  if (id.empty()) {
    std::random_device random;
    id = "process";
    for (int i = 0; i < 4; ++i)
      id.append("-").append(std::to_string(random()));
  }
  return id;
}

} // namespace

std::string read_boot_id(const std::string& path) {
  std::string id;
  std::ifstream in{path};
  std::getline(in, id);
  return id;
}

host_time host_now() {
  static const auto boot = boot_of_process();
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return {boot, std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

} // namespace mistify::rpc
