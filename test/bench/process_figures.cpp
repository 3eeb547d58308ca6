#include "process_figures.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace mistify::bench {

namespace {

std::string folder_of(pid_t id) {
  return "/proc/" + std::to_string(id);
}

/// The parent in /proc/PID/stat, behind a name in parentheses that may hold anything, and the state. 0 if `id` has ended.
pid_t parent_of(const std::string& id) {
  std::ifstream in{"/proc/" + id + "/stat"};
  std::string text;
  std::getline(in, text);
  const auto name_end = text.rfind(')');
  return name_end == text.npos ? 0 : static_cast<pid_t>(std::stol(text.substr(name_end + 4)));
}

/// A line of /proc/PID/status, which is in KiB.
std::size_t status_line(pid_t id, const std::string& name) {
  std::ifstream in{folder_of(id) + "/status"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(name + ':'))
      return std::stoul(line.substr(name.size() + 1)) * 1024;
  throw std::runtime_error{"no " + name + " of process " + std::to_string(id)};
}

} // namespace

std::size_t resident(pid_t id) {
  return status_line(id, "VmRSS");
}

std::size_t peak_resident(pid_t id) {
  return status_line(id, "VmHWM");
}

void forget_peak(pid_t id) {
  std::ofstream{folder_of(id) + "/clear_refs"} << "5\n";
}

std::chrono::nanoseconds cpu_time(pid_t id) {
  std::chrono::nanoseconds sum{0};
  for (const auto& thread : std::filesystem::directory_iterator{folder_of(id) + "/task"}) {
    std::ifstream in{thread.path() / "schedstat"};
    std::chrono::nanoseconds::rep used = 0;
    in >> used;
    sum += std::chrono::nanoseconds{used};
  }
  return sum;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") == name.npos && parent_of(name) == parent)
      found.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return found;
}

} // namespace mistify::bench
